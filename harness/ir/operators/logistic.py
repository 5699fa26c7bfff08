"""LOGISTIC, whose output always has scale 1/256 and zero point -128, of int16 1/32768 and 0."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, array, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization import elementary
from harness.quantization.params import logistic_values
from harness.quantization.sigmoid16 import sigmoid16, sigmoid16_factor
from harness.quantization.types import Array, DType

_SMALLEST = 2.0**-58  # smaller ones shift by more than 31 bits in TFLM's requantization


def verify_but_bytes(v: View) -> bool:
    """Checks LOGISTIC or TANH of floats or int16; whether it is of int8, whose scales are left to check."""
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    if y.dtype is DType.FLOAT32:
        return False
    v.scaled(x, y)
    if y.dtype is DType.INT16:
        v.need(
            (y.q.scale, x.q.zero_point, y.q.zero_point) == (2.0**-15, 0, 0),
            "must have an output of scale 1/32768 and zero points 0",
        )
        sigmoid16_factor(x)
    return y.dtype is not DType.INT16


def _verify(v: View) -> None:
    if not verify_but_bytes(v):
        return
    x, y = v.x(), v.y()
    v.need((y.q.scale, y.q.zero_point) == (1 / 256, -128), "must have an output of scale 1/256 and zero point -128")
    v.need(
        _SMALLEST <= x.q.scale < 2.0**30,
        f"has an input of scale {x.q.scale:g}, outside 2^-58 to 2^30, with which TFLM's shifts leave its integers",
        "calibrate with data for which this input is not always 0 (RepresentativeDataset of the converter)",
    )


def logistic(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """LOGISTIC; int8 by gemmlowp's fixed-point arithmetic, int16 by a table. Source: TFLM integer_ops/logistic.h."""
    if op.y.dtype is DType.FLOAT32:
        return (elementary.logistic(floats(inputs, 0)),)
    if op.y.dtype is DType.INT16:
        return (sigmoid16(array(inputs, 0).astype(np.int64), *sigmoid16_factor(op.x)).astype(np.int16),)
    return (logistic_values(array(inputs, 0), op.x),)


OPERATORS = (
    Operator(
        "LOGISTIC",
        _verify,
        logistic,
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        fixed_scales={DType.INT8: (1 / 256, -128), DType.INT16: (1 / 32768, 0)},
        ulp=2,
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW, Trait.PROBABILITIES}),
        tflite=TfliteForm(14, write_plain, read_plain),
    ),
)
