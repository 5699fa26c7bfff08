"""ADD and MUL, with numpy's broadcasting. Inputs: a, b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Inputs, Operands, centred, clip
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing, activation_number
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.params import add_params, mul_params
from harness.quantization.types import Array, Clamp

_MAX_RANK = 6  # TFLM, BroadcastAdd6DSlow

_RANK_HINT = "reshape both operands to fewer dimensions before it: neighbours that are broadcast alike can be joined"


@dataclass(frozen=True)
class BinaryAttrs(Attrs):
    """ADD and MUL, with numpy broadcasting. Inputs: a, b."""

    clamp: Clamp


def _verify_broadcast(v: View) -> None:
    a, b, y = v.x(), v.x(1), v.y()
    v.need(max(len(a.shape), len(b.shape)) <= _MAX_RANK, f"has more than {_MAX_RANK} dimensions", _RANK_HINT)
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise v.error(f"cannot broadcast {list(a.shape)} with {list(b.shape)}") from None
    v.shape(y, tuple(int(n) for n in shape))
    v.scaled(a, b, y)
    v.clamp(v.attrs(BinaryAttrs).clamp)


def _verify_add(v: View) -> None:
    _verify_broadcast(v)
    a, b, y = v.x(), v.x(1), v.y()
    real = 2 * max(a.q.scale, b.q.scale) / ((1 << 20) * y.q.scale)
    v.need(real < 1, f"has an output scale {y.q.scale:g} too small for its inputs' ({a.q.scale:g}, {b.q.scale:g})")


def add(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """ADD with broadcasting: both operands scaled to 20 more bits, summed, scaled back."""
    factors = add_params(op.x, op.input(1), op.y)
    a = multiply_by_quantized_multiplier(centred(inputs, 0, op) << factors.left_shift, factors.a.m, factors.a.shift)
    b = multiply_by_quantized_multiplier(centred(inputs, 1, op) << factors.left_shift, factors.b.m, factors.b.shift)
    total = multiply_by_quantized_multiplier(a + b, factors.y.m, factors.y.shift) + op.y.q.zero_point
    return (clip(total, cast(BinaryAttrs, op.attrs).clamp, op.y),)


def _verify_mul(v: View) -> None:
    _verify_broadcast(v)
    v.multiplier(v.x().q.scale * v.x(1).q.scale / v.y().q.scale, span(v.x()) * span(v.x(1)))


def mul(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MUL with broadcasting."""
    factor = mul_params(op.x, op.input(1), op.y)
    product = centred(inputs, 0, op) * centred(inputs, 1, op)
    scaled = multiply_by_quantized_multiplier(product, factor.m, factor.shift) + op.y.q.zero_point
    return (clip(scaled, cast(BinaryAttrs, op.attrs).clamp, op.y),)


def _read(op: Reading) -> Read:
    op.count(2)
    return op.ids(0, 1), BinaryAttrs(op.clamp(4))


def _write(to: Writing, node: Node) -> OperatorDraft:
    activation = activation_number(cast(BinaryAttrs, node.attrs).clamp, to.graph.tensors[node.outputs[0]])
    return OperatorDraft(node.op, node.inputs, node.outputs, node.op.title(), {"FusedActivationFunction": activation})


OPERATORS = (
    Operator(
        "ADD", _verify_add, add, attrs=BinaryAttrs, inputs=(2, 2), tflite=TfliteForm(0, _write, _read, options=11)
    ),
    Operator(
        "MUL",
        _verify_mul,
        mul,
        attrs=BinaryAttrs,
        inputs=(2, 2),
        traits=frozenset({Trait.PRODUCT}),
        tflite=TfliteForm(18, _write, _read, options=21),
    ),
)
