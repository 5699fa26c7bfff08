"""The five models of MLPerf Tiny, compiled for every U55 and U65, compute what TFLM computes."""

from __future__ import annotations

import numpy as np
import pytest

from harness.oracle.tflm import TflmInterpreter
from tests.support.models import real_model
from tests.support.scale import scaled
from tests.support.vela import ACCELERATORS, compile_model, random_inputs

MODELS = ("kws", "ad", "ic", "vww", "sww")


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize("model", MODELS)
def test_outputs_are_those_of_tflm(model: str, accelerator: str) -> None:
    original = real_model(f"mlperftiny_{model}_int8").read_bytes()
    inference = compile_model(original, accelerator).inference()
    assert inference is not None, "all operators of these models run on the NPU"
    tflm = TflmInterpreter(original)
    rng = np.random.default_rng(13)
    for _ in range(scaled(2, 20)):
        inputs = random_inputs(inference.model, rng)
        wanted, _ = tflm.invoke(inputs, ())
        for ours, theirs in zip(inference.run(inputs), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)
