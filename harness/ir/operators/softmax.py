"""SOFTMAX over the last dimension. An output of n bits has scale 2^-n and zero point -2^(n-1); of int16 2^-15 and 0."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators import float_layers
from harness.ir.operators.operands import Inputs, Operands, array, clip, floats
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import high_mul, reciprocal, rounding_shift_right
from harness.quantization.params import SOFTMAX_SUM_INTEGER_BITS, softmax_exp_table
from harness.quantization.softmax16 import softmax16, softmax16_params
from harness.quantization.types import Array, DType

_TYPES = (
    Types(DType.INT8, DType.INT8),
    Types(DType.INT8, DType.INT16),
    Types(DType.INT16, DType.INT16),
    Types(DType.FLOAT32, DType.FLOAT32),
)


@dataclass(frozen=True)
class SoftmaxAttrs(Attrs):
    """SOFTMAX over the last dimension."""

    beta: float


def _verify(v: View) -> None:
    x, y, beta = v.x(), v.y(), v.attrs(SoftmaxAttrs).beta
    v.shape(y, x.shape)
    v.need(len(x.shape) >= 1, "reads a scalar")
    v.need(isfinite(beta), f"has beta {beta:g}")
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    if x.dtype is DType.INT16:
        near = abs(y.q.scale * (1 << 15) - 1) <= 0.001 and y.q.zero_point == 0
        v.need(near, "must have an output of scale 1/32768 and zero point 0")
        v.need(x.shape[-1] <= 1 << 16, f"sums {x.shape[-1]} exponentials, which overflow 32 bits")
        softmax16_params(x, beta)
        return
    levels, low = 1 << (8 * y.dtype.size), y.dtype.range[0]
    # TFLM takes an int16 scale within a thousandth of it, as converters write 1/65535.
    near = abs(y.q.scale * levels - 1) <= (0.001 if y.dtype is DType.INT16 else 0)
    v.need(near and y.q.zero_point == low, f"must have an output of scale 1/{levels} and zero point {low}")
    v.need(isfinite(beta) and beta * x.q.scale * (1 << 26) > 1, f"has beta {beta:g} and input scale {x.q.scale:g}")


def softmax(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SOFTMAX, of integers by fixed-point arithmetic. Source: TFLM reference softmax.h."""
    if op.y.dtype is DType.FLOAT32:
        return (float_layers.softmax(floats(inputs, 0), cast(SoftmaxAttrs, op.attrs).beta),)
    x = array(inputs, 0).astype(np.int64)
    if op.x.dtype is DType.INT16:
        return (softmax16(x, softmax16_params(op.x, cast(SoftmaxAttrs, op.attrs).beta)).astype(np.int16),)
    table = softmax_exp_table(op.x, cast(SoftmaxAttrs, op.attrs).beta)
    exps = table[x.max(axis=-1, keepdims=True) - x].astype(np.int64)
    total = rounding_shift_right(exps, SOFTMAX_SUM_INTEGER_BITS).sum(axis=-1, keepdims=True)
    scale, bits = reciprocal(total, SOFTMAX_SUM_INTEGER_BITS)
    shift = bits + 31 - 8 * op.y.dtype.size
    return (clip(rounding_shift_right(high_mul(scale, exps), shift) + op.y.dtype.range[0], op.y.dtype.range, op.y),)


def _read(op: Reading) -> Read:
    op.count(1)
    return op.ids(0), SoftmaxAttrs(op.real(4))


def _write(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs, "Softmax", {"Beta": cast(SoftmaxAttrs, node.attrs).beta})


OPERATORS = (
    Operator(
        "SOFTMAX",
        _verify,
        softmax,
        attrs=SoftmaxAttrs,
        types=_TYPES,
        fixed_scales={DType.INT8: (1 / 256, -128), DType.INT16: (1 / 32768, 0)},
        ulp=8,
        traits=frozenset({Trait.PROBABILITIES}),
        tflite=TfliteForm(25, _write, _read, options=9),
    ),
)
