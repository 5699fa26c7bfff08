"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL, with numpy's broadcasting. Inputs: a, b."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.binary import verify_broadcast
from harness.ir.operators.extremes import read_two
from harness.ir.operators.operands import Inputs, Operands, array, centred
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import TfliteForm, write_plain
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier
from harness.quantization.params import compare_params
from harness.quantization.types import Array, DType

_NUMBERS = (DType.INT8, DType.INT32, DType.INT64, DType.FLOAT32)
_ORDERED = tuple(Types(x, DType.BOOL) for x in _NUMBERS)
_EQUALITY = (*_ORDERED, Types(DType.BOOL, DType.BOOL))
COMPARE = {
    "EQUAL": np.equal,
    "NOT_EQUAL": np.not_equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
}
"""Operator -> what it compares by."""


def _verify(v: View) -> None:
    verify_broadcast(v, 4)
    if v.x().dtype is DType.INT8:
        v.scaled(v.x(), v.x(1))
        small = max(v.x().q.scale, v.x(1).q.scale) < 1 << 23
        v.need(small, f"has a scale of {max(v.x().q.scale, v.x(1).q.scale):g}, with which its integers overflow")


def _scaled(inputs: Inputs, index: int, op: Operands) -> Ints:
    """int8 with eight more bits, times its scale (TFLM, comparisons.h, ComparisonWithScaling)."""
    factor = compare_params(op.input(index))
    return multiply_by_quantized_multiplier(centred(inputs, index, op) << 8, factor.m, factor.shift)


def _compare(name: str):  # type: ignore[no-untyped-def]
    compare = COMPARE[name]

    def compute(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
        if op.x.dtype is DType.INT8:
            return (compare(_scaled(inputs, 0, op), _scaled(inputs, 1, op)),)
        return (compare(array(inputs, 0), array(inputs, 1)),)

    return compute


OPERATORS = tuple(
    Operator(
        name,
        _verify,
        _compare(name),
        inputs=(2, 2),
        types=_EQUALITY if "EQUAL" in (name, name.removeprefix("NOT_")) else _ORDERED,
        tflite=TfliteForm(code, write_plain, read_two),
    )
    for name, code in zip(COMPARE, (71, 72, 61, 62, 58, 63), strict=True)
)
