"""A suite of every operator that has a builder, on an emulated board, against TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.validate.conformance.outcome import ModelStatus
from harness.validate.conformance.running import run_suite
from harness.validate.conformance.suite import find_cases
from tests.support.builders import BUILDERS
from tests.support.generated import random_graph
from tests.support.scale import scaled


def test_a_folder_of_single_operators_is_exact_or_within_ulp(tmp_path: Path) -> None:
    for number, op in enumerate(list(BUILDERS)[:: scaled(4, 1)]):
        graph = random_graph(np.random.default_rng([31, number]), op)
        folder = tmp_path / op.lower()
        folder.mkdir()
        (folder / "one.tflite").write_bytes(graph.model)
    result = run_suite(find_cases(tmp_path), "mps2-an386")
    assert len(result.outcomes) == len(list(tmp_path.iterdir()))
    bad = [one for one in result.outcomes if one.status not in (ModelStatus.EXACT, ModelStatus.WITHIN)]
    assert not [one for one in bad if one.status is not ModelStatus.ERROR], bad
    assert all("oracle" in one.reason for one in bad), "TFLM itself takes fewer types than the file format has"
    assert result.count(ModelStatus.EXACT) > len(result.outcomes) // 2
    assert result.images <= len(result.outcomes) // 20 + 1
