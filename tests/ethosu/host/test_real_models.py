"""Models of others, compiled for the U55 and U65, compute what TFLM computes: MLPerf Tiny's for every accelerator."""

from __future__ import annotations

import numpy as np
import pytest

from harness.oracle.tflm import TflmInterpreter
from tests.support.models import real_model
from tests.support.scale import scaled
from tests.support.vela import ACCELERATORS, compile_model, random_inputs

MLPERF = ("kws", "ad", "ic", "vww", "sww")
OTHERS = (
    *(
        "arm_yolo_fastest_192_face_v4",
        "armzoo_ds_cnn_quantized",
        "tflm_hello_world_int8",
        "tflm_micro_speech_quantized",
    ),
    *("tflm_person_detect", "tflm_simple_add_model", "tflm_trained_lstm_int8", "tinymaix_mbnet96_0.25_q"),
    *("tinymaix_mnist_resnet_q", "tinymaix_mnist_valid_q"),
)


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize("model", MLPERF)
def test_models_of_mlperf_tiny(model: str, accelerator: str) -> None:
    _agrees_with_tflm(f"mlperftiny_{model}_int8", accelerator, scaled(2, 20))


@pytest.mark.parametrize("model", OTHERS)
def test_models_of_others(model: str) -> None:
    for accelerator in scaled(ACCELERATORS[len(model) % 6 :][:1], ACCELERATORS):
        _agrees_with_tflm(model, accelerator, scaled(3, 5))


def _agrees_with_tflm(model: str, accelerator: str, vectors: int) -> None:
    original = real_model(model).read_bytes()
    inference = compile_model(original, accelerator).inference()
    assert inference is not None, "all operators of these models run on the NPU"
    tflm = TflmInterpreter(original)
    rng = np.random.default_rng(13)
    for _ in range(vectors):
        inputs = random_inputs(inference.model, rng)
        wanted, _ = tflm.invoke(inputs, ())
        for ours, theirs in zip(inference.run(inputs), wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)
