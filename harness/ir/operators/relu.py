"""RELU and RELU6 as operators of their own."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, array, clip
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.params import relu6_clamp, relu_clamp, requantize_values
from harness.quantization.types import Array, DType

_TRAITS = frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW})


def _verify_relu(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    v.multiplier(x.q.scale / y.q.scale, span(x))


def relu(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU: requantizes, then clamps below at the output's zero point."""
    if op.y.dtype is DType.FLOAT32:
        return (_between(array(inputs, 0), 0, np.inf),)
    return (requantize_values(array(inputs, 0), op.x, op.y, relu_clamp(op.y)),)


def _between(x: Array, low: float, high: float) -> Array:
    """Limited as TFLM compares: x > high ? high : x < low ? low : x."""
    return np.where(x > np.float32(high), np.float32(high), np.where(x < np.float32(low), np.float32(low), x))


def _verify_relu6(v: View) -> None:
    _verify_relu(v)
    v.moved(v.x(), v.y())


def relu6(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU6: clamps in the input's units and copies."""
    if op.y.dtype is DType.FLOAT32:
        return (_between(array(inputs, 0), 0, 6),)
    return (clip(array(inputs, 0).astype(np.int64), relu6_clamp(op.x), op.y),)


_TYPES = same(DType.INT8, DType.INT16, DType.FLOAT32)

OPERATORS = (
    Operator("RELU", _verify_relu, relu, types=_TYPES, traits=_TRAITS, tflite=TfliteForm(19, write_plain, read_plain)),
    Operator(
        "RELU6",
        _verify_relu6,
        relu6,
        types=_TYPES,
        traits=_TRAITS | {Trait.ONE_SCALE},
        tflite=TfliteForm(21, write_plain, read_plain),
    ),
)
