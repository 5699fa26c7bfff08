"""HARD_SWISH: x * relu6(x + 3) / 6."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import Ints, quantize_multiplier, rounding_shift_right
from harness.quantization.types import Array, DType

_MAX16, _MIN16 = (1 << 15) - 1, -(1 << 15)


def _verify(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    if y.dtype is not DType.FLOAT32:
        v.scaled(x, y)
        v.need(_factor(x.q.scale, y.q.scale)[1] <= 0, f"has scales {x.q.scale:g} and {y.q.scale:g}, which TFLM refuses")
        v.need(abs(_factor(x.q.scale, _RELUISH)[1]) < 31, f"has an input of scale {x.q.scale:g}")


_RELUISH = float(np.float32(3.0 / 32768.0))
"""Scale of the slope from 0 to 1 in 16 bits."""


def _narrow(multiplier: int) -> int:
    """The upper 16 bits of a multiplier, rounded (TFLM, DownScaleInt32ToInt16Multiplier)."""
    most = (1 << 31) - 1
    return _MAX16 if multiplier >= most - (1 << 15) else (multiplier + (1 << 15)) >> 16


def _factor(x_scale: float, over: float) -> tuple[int, int]:
    """(16-bit multiplier, exponent) of the input's steps of 1/128 over another scale, divided in float32."""
    finer = np.float32(1.0 / 128.0) * np.float32(x_scale)
    multiplier, exponent = quantize_multiplier(float(finer / np.float32(over)))
    return _narrow(multiplier), exponent


def _rounding_high(a: Ints, b: int) -> Ints:
    """gemmlowp's SaturatingRoundingDoublingHighMul of 16 bits."""
    product = a * b
    nudged = np.where(product >= 0, product + (1 << 14), product + 1 - (1 << 14))
    return np.minimum(_towards_zero(nudged, 15), _MAX16)


def _towards_zero(value: Ints, bits: int) -> Ints:
    """value / 2**bits as C divides."""
    quotient: Ints = np.where(value >= 0, value >> bits, -((-value) >> bits))
    return quotient


def _shifted_left(value: Ints, bits: int) -> Ints:
    shifted: Ints = np.clip(value << bits, _MIN16, _MAX16)
    return shifted


def _slope(hires: Ints, x_scale: float) -> Ints:
    """relu6(x + 3) / 6 in Q0.15 of the input with seven more bits."""
    multiplier, exponent = _factor(x_scale, _RELUISH)
    value = _shifted_left(hires, exponent - 1) if exponent > 0 else hires
    value = _rounding_high(value, multiplier)
    if exponent > 0:
        value = _shifted_left(value, 1)
    if exponent < 0:
        value = rounding_shift_right(value, -exponent)
    return (value + (1 << 15)) >> 1


def hard_swish(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """HARD_SWISH; int8 in 16-bit fixed point. Source: TFLM reference hard_swish.h."""
    if op.y.dtype is DType.FLOAT32:
        x = floats(inputs, 0)
        inner = np.minimum(np.maximum(x + np.float32(3), np.float32(0)), np.float32(6))
        return (x * inner / np.float32(6),)
    hires = centred(inputs, 0, op) << 7
    multiplier, exponent = _factor(op.x.q.scale, op.y.q.scale)
    scaled = _rounding_high(hires, multiplier)
    product = np.minimum(_towards_zero(_slope(hires, op.x.q.scale) * scaled, 15), _MAX16)
    return (clip(rounding_shift_right(product, -exponent) + op.y.q.zero_point, op.y.dtype.range, op.y),)


OPERATORS = (
    Operator(
        "HARD_SWISH",
        _verify,
        hard_swish,
        types=same(DType.INT8, DType.FLOAT32),
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW}),
        tflite=TfliteForm(117, write_plain, read_plain, version=1),
    ),
)
