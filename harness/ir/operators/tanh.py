"""TANH, whose output always has scale 1/128, of int16 1/32768, and zero point 0."""

from __future__ import annotations

from math import floor

import numpy as np

from harness.ir.operators.logistic import verify_but_bytes
from harness.ir.operators.operands import Inputs, Operands, array, centred, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization import elementary
from harness.quantization.fixedpoint import (
    Ints,
    exp_on_negative_values,
    high_mul,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_shift_right,
    saturating_shift_left,
)
from harness.quantization.sigmoid16 import sigmoid16_factor, tanh16
from harness.quantization.types import Array, DType, Quantized

INTEGER_BITS = 4
"""Integer bits of the fixed-point input (Q4.27) of TFLM's function."""


def _verify(v: View) -> None:
    if not verify_but_bytes(v):
        return
    x, y = v.x(), v.y()
    v.need((y.q.scale, y.q.zero_point) == (1 / 128, 0), "must have an output of scale 1/128 and zero point 0")
    v.need(2.0**-28 <= x.q.scale < 2.0**30, f"has an input of scale {x.q.scale:g}, outside 2^-28 to 2^30")


def _one_minus_x_over_one_plus_x(a: Ints) -> Ints:
    """(1 - a) / (1 + a) in Q0.31 for a in [0, 1] in Q0.31.

    Source: gemmlowp one_minus_x_over_one_plus_x_for_x_in_0_1: three Newton-Raphson steps in Q2.29.
    """
    half_denominator = (a + (1 << 31)) >> 1
    x = 1515870810 + high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x = x + saturating_shift_left(high_mul(x, error), 2)
    return saturating_shift_left(x - (1 << 29), 2)


def _fixed_point_tanh(a: Ints) -> Ints:
    """tanh(a) = (1 - e) / (1 + e), e = exp(-2|a|), in Q0.31; `a` is Q4.27 where INTEGER_BITS is 4. Source: gemmlowp."""
    magnitude = _one_minus_x_over_one_plus_x(exp_on_negative_values(-np.abs(a), INTEGER_BITS + 1))
    return np.where(a == 0, 0, np.where(a < 0, -magnitude, magnitude))


def _multiplier_and_radius(x: Quantized) -> tuple[int, int, int]:
    """(m, shift) of the input, and the distance from its zero point from which on the output saturates."""
    m, shift = quantize_multiplier(float(np.float32(x.q.scale)) * (1 << (31 - INTEGER_BITS)))
    return m, shift, floor(((1 << INTEGER_BITS) - 1) * 2.0 ** (31 - INTEGER_BITS - shift))


def tanh(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """TANH; int8 by gemmlowp's fixed-point arithmetic, int16 by a table. Source: TFLM reference integer_ops/tanh.h."""
    if op.y.dtype is DType.FLOAT32:
        return (elementary.tanh(floats(inputs, 0)),)
    if op.y.dtype is DType.INT16:
        return (tanh16(array(inputs, 0).astype(np.int64), *sigmoid16_factor(op.x)).astype(np.int16),)
    low, high = op.y.dtype.range
    m, shift, radius = _multiplier_and_radius(op.x)
    values = centred(inputs, 0, op)
    inside: Ints = np.clip(values, -radius, radius)
    raw = _fixed_point_tanh(multiply_by_quantized_multiplier(inside, m, shift))
    made = np.clip(rounding_shift_right(raw, 31 - 7), low, high)
    return (np.where(values <= -radius, low, np.where(values >= radius, high, made)).astype(array(inputs, 0).dtype),)


OPERATORS = (
    Operator(
        "TANH",
        _verify,
        tanh,
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        fixed_scales={DType.INT8: (1 / 128, 0), DType.INT16: (1 / 32768, 0)},
        ulp=2,
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW}),
        tflite=TfliteForm(28, write_plain, read_plain),
    ),
)
