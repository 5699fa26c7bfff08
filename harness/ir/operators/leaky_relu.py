"""LEAKY_RELU: negative numbers times alpha."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.params import leaky_params
from harness.quantization.types import Array, DType


@dataclass(frozen=True)
class LeakyAttrs(Attrs):
    """LEAKY_RELU: `alpha` is a float32, the slope of negative numbers."""

    alpha: float


def _verify(v: View) -> None:
    x, y, alpha = v.x(), v.y(), v.attrs(LeakyAttrs).alpha
    v.shape(y, x.shape)
    v.need(isfinite(alpha), f"has alpha {alpha}")
    if y.dtype is not DType.FLOAT32:
        v.scaled(x, y)
        ratio = x.q.scale / y.q.scale
        v.multiplier(ratio, span(x))
        v.multiplier(abs(alpha) * ratio, span(x))


def leaky_relu(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """LEAKY_RELU, requantized by one multiplier above zero and another below. Source: TFLM leaky_relu.h."""
    alpha = np.float32(cast(LeakyAttrs, op.attrs).alpha)
    if op.y.dtype is DType.FLOAT32:
        x = floats(inputs, 0)
        return (np.where(x > 0, x, x * alpha),)
    identity, below = leaky_params(op.x, op.y, float(alpha))
    values = centred(inputs, 0, op)
    above = multiply_by_quantized_multiplier(values, identity.m, identity.shift)
    under = multiply_by_quantized_multiplier(values, below.m, below.shift)
    return (clip(np.where(values >= 0, above, under) + op.y.q.zero_point, op.y.dtype.range, op.y),)


def _read(op: Reading) -> Read:
    op.count(1)
    return op.ids(0), LeakyAttrs(op.real(4))


def _write(to: Writing, node: Node) -> OperatorDraft:
    fields = {"Alpha": cast(LeakyAttrs, node.attrs).alpha}
    return OperatorDraft(node.op, node.inputs, node.outputs, "LeakyRelu", fields)


OPERATORS = (
    Operator(
        "LEAKY_RELU",
        _verify,
        leaky_relu,
        attrs=LeakyAttrs,
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW}),
        tflite=TfliteForm(98, _write, _read, options=75),
    ),
)
