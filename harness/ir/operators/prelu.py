"""PRELU: negative numbers times slopes of their own, which are broadcast. Inputs: x, slopes."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.binary import verify_broadcast
from harness.ir.operators.extremes import read_two
from harness.ir.operators.operands import Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import TfliteForm, write_plain
from harness.ir.operators.view import View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.params import mul_params, requantize_params
from harness.quantization.types import Array, DType


def _verify(v: View) -> None:
    x, slopes, y = v.x(), v.x(1), v.y()
    verify_broadcast(v, 4)
    v.shape(y, x.shape)
    if y.dtype is not DType.FLOAT32:
        v.scaled(x, slopes, y)
        v.multiplier(x.q.scale / y.q.scale, span(x))
        v.multiplier(x.q.scale * slopes.q.scale / y.q.scale, span(x) * span(slopes))


def prelu(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """PRELU. Source: TFLM reference prelu.h."""
    if op.y.dtype is DType.FLOAT32:
        x = floats(inputs, 0)
        return (np.where(x >= 0, x, x * floats(inputs, 1)),)
    above, below = requantize_params(op.x, op.y), mul_params(op.x, op.input(1), op.y)
    values, slopes = centred(inputs, 0, op), centred(inputs, 1, op)
    kept = multiply_by_quantized_multiplier(values, above.m, above.shift)
    sloped = multiply_by_quantized_multiplier(values * slopes, below.m, below.shift)
    return (clip(np.where(values >= 0, kept, sloped) + op.y.q.zero_point, op.y.dtype.range, op.y),)


OPERATORS = (
    Operator(
        "PRELU",
        _verify,
        prelu,
        inputs=(2, 2),
        types=same(DType.INT8, DType.FLOAT32),
        tflite=TfliteForm(54, write_plain, read_two, version=1),
    ),
)
