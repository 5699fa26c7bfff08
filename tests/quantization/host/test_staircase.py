"""Staircases against every sum."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.quantization.fixedpoint import multiply_by_quantized_multiplier, quantize_multiplier
from harness.quantization.onnx_rounding import onnx_scaled
from harness.quantization.staircase import NO_STEP, same_outputs, steps_of
from tests.support.scale import scaled

CLAMP = (-128, 127)


def as_tflm(real: float, zero: int):
    m, shift = quantize_multiplier(real)
    return lambda sums: np.clip(multiply_by_quantized_multiplier(sums, m, shift) + zero, *CLAMP)


def as_onnx(real: float, zero: int):
    return lambda sums: np.clip(onnx_scaled(sums, np.float32(real)) + zero, *CLAMP)


@settings(max_examples=scaled(40, 1000), deadline=None)
@given(
    real=st.floats(2**-9, 0.9).map(lambda v: float(np.float32(v))) | st.sampled_from([0.5, 0.25, 0.125, 1 / 3, 0.75]),
    zero=st.integers(-128, 127),
    low=st.integers(-30000, 0),
    width=st.integers(0, 60000),
)
def test_the_same_outputs_are_found_without_trying_all_sums(real: float, zero: int, low: int, width: int) -> None:
    every = np.arange(low, low + width + 1)[None]
    ends = np.array([low]), np.array([low + width])
    one, other = as_tflm(real, zero), as_onnx(real, zero)
    assert same_outputs(one, other, *ends, CLAMP) == np.array_equal(one(every), other(every))
    targets = np.arange(-127, 128)
    steps = steps_of(other, *ends, targets)[0]
    outputs = other(every)[0]
    for target, step in zip(targets, steps, strict=True):
        reached = outputs[0] < target <= outputs[-1]
        assert step == (low + int(np.argmax(outputs >= target)) if reached else NO_STEP)


def test_both_answers_occur() -> None:
    """Of an eighth, TFLM rounds three to a half first, and then to one."""
    narrow, wide = (np.array([-2]), np.array([2])), (np.array([-100]), np.array([100]))
    assert same_outputs(as_tflm(0.125, 0), as_onnx(0.125, 0), *narrow, CLAMP)
    assert not same_outputs(as_tflm(0.125, 0), as_onnx(0.125, 0), *wide, CLAMP)
    beyond = np.array([-(1 << 40)]), np.array([0])
    assert not same_outputs(as_tflm(0.125, 0), as_tflm(0.125, 0), *beyond, CLAMP)
