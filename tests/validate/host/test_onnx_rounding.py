"""Quantized ONNX models validated: by the specification, with ONNX Runtime beside it."""

from __future__ import annotations

import pytest

from harness.errors import OptionError
from harness.validate.card import RandomVectors
from harness.validate.card.loading import card_for_model
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.onnx_rounded import qdq_network

FEW = RandomVectors(random=5)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(qdq_network(2))
    return path


@pytest.mark.parametrize("oracle", [None, "tflm"])
def test_the_oracle_is_the_specification_and_onnx_runtime_stands_beside_it(model, oracle):
    outcome = Workbench().validate(card_for_model(model), "host", Options(vectors=FEW, oracle=oracle))
    assert outcome.reference.oracle == "spec"
    assert outcome.passed, outcome.explain()
    (opinion,) = outcome.opinions
    assert opinion.oracle == "onnxruntime" and all(diff.differing == 0 for diff in opinion.outputs)
    assert not outcome.opinion_notes
    assert any("TFLM is no oracle of this model" in note for note in outcome.graph.notes)


def test_tflm_does_not_run_it(model):
    with pytest.raises(OptionError, match="runtime tflm rounds as TFLM does") as caught:
        Workbench().validate(card_for_model(model), "mps3-an547", Options(vectors=FEW, runtime="tflm"))
    assert caught.value.hint
