"""What is left to the CPU, run on mps3-an547 with the NPU behind its registers."""

from __future__ import annotations

import pytest

from harness.ethosu.vela import VelaOptions
from harness.offload.running import NpuRequest, run_subject
from harness.offload.subject import read_subject
from harness.report.npu.document import npu_document
from harness.report.npu.words import summary
from harness.validate.card import RandomVectors
from tests.support.offload import mixed_model


def test_instructions_are_those_of_a_run(tmp_path):
    subject = read_subject(mixed_model(tmp_path))
    both = [
        run_subject(subject, NpuRequest(VelaOptions(), RandomVectors(random=1), measure=measure), lambda *_: None)
        for measure in (False, True)
    ]
    expected, ran = both
    assert ran.alone.measured and ran.image.measured and not expected.alone.measured
    assert (ran.active, ran.beats) == (expected.active, expected.beats)
    for mine, theirs in ((ran.cpu, expected.cpu), (ran.alone, expected.alone)):
        assert mine.instructions == pytest.approx(theirs.instructions, rel=0.5)
        assert mine.instructions != theirs.instructions
    assert set(ran.image.layers) == {1}, "the NPU's layers are not the CPU's"
    document = npu_document(ran)
    assert document["cpu_only"]["measured"] and "under QEMU" in " ".join(summary(document))
    assert "about" not in " ".join(summary(document))
