"""LOG_SOFTMAX over the last dimension; of int8 the output always has scale 1/16 and zero point 127."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Node
from harness.ir.operators import float_layers
from harness.ir.operators.operands import Inputs, Operands, array, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing, read_plain
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import (
    Ints,
    exp_on_negative_values,
    multiply_by_quantized_multiplier,
    rounding_shift_right,
)
from harness.quantization.logarithm import log_above_one
from harness.quantization.params import SOFTMAX_INTEGER_BITS, LogSoftmaxParams, log_softmax_params
from harness.quantization.types import Array, DType


def _verify(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.need(len(x.shape) >= 1, "reads a scalar")
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 16, 127), "must have an output of scale 1/16 and zero point 127")
    v.need(x.q.scale * (1 << 26) > 1, f"has an input of scale {x.q.scale:g}, too small for TFLM")
    v.need(x.shape[-1] < 1 << 12, f"has {x.shape[-1]} elements a row, with which TFLM's sums overflow")


def _integers(x: Ints, p: LogSoftmaxParams) -> Ints:
    """Source: reference/integer_ops/log_softmax.h."""
    difference = x - x.max(axis=-1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(np.maximum(difference, p.diff_min), p.input.m, p.input.shift)
    exps = np.where(difference >= p.diff_min, exp_on_negative_values(scaled, SOFTMAX_INTEGER_BITS), 0)
    total = rounding_shift_right(exps, 12).sum(axis=-1, keepdims=True)
    log = log_above_one(total)
    lowest = multiply_by_quantized_multiplier(log - (1 << 31), p.reverse.m, p.reverse.shift)
    kept = difference > np.maximum(p.diff_min - 1, lowest)
    made = rounding_shift_right(scaled - log, 31 - 5 - 4) + 127
    return np.where(kept, np.clip(made, -128, 127), -128)


def log_softmax(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """LOG_SOFTMAX; int8 in fixed point."""
    if op.y.dtype is DType.FLOAT32:
        return (float_layers.log_softmax(floats(inputs, 0)),)
    return (_integers(array(inputs, 0).astype(np.int64), log_softmax_params(op.x)).astype(np.int8),)


def _write(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs, "LogSoftmax")


OPERATORS = (
    Operator(
        "LOG_SOFTMAX",
        _verify,
        log_softmax,
        types=same(DType.INT8, DType.FLOAT32),
        fixed_scales={DType.INT8: (1 / 16, 127)},
        tflite=TfliteForm(50, _write, read_plain, version=2),
        ulp=4,  # measured over 500 layers: 2
        ulp_least=1.0,
    ),
)
