"""ADD, SUB and MUL, with numpy's broadcasting. Inputs: a, b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip, plain
from harness.ir.operators.operator import EITHER_ROUNDING, Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing, activation_number
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, reach
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.onnx_rounding import onnx_quantized
from harness.quantization.params import add_left_shift, add_params, dequantize_values, mul_params
from harness.quantization.types import Array, Clamp, DType, Rounding

_MAX_RANK = 6  # TFLM, BroadcastAdd6DSlow
_TYPES = same(DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32)
QUANTIZED = (DType.INT8, DType.INT16)
"""Element types whose values are scaled; others are computed as they are."""

_RANK_HINT = "reshape both operands to fewer dimensions before it: neighbours that are broadcast alike can be joined"


@dataclass(frozen=True)
class BinaryAttrs(Attrs):
    """ADD, SUB and MUL, with numpy broadcasting. Inputs: a, b."""

    clamp: Clamp


def verify_broadcast(v: View, most: int = _MAX_RANK) -> None:
    """Checks that the output has the shape to which both operands broadcast, of at most so many dimensions."""
    a, b, y = v.x(), v.x(1), v.y()
    v.need(max(len(a.shape), len(b.shape)) <= most, f"has more than {most} dimensions", _RANK_HINT)
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise v.error(f"cannot broadcast {list(a.shape)} with {list(b.shape)}") from None
    v.shape(y, tuple(int(n) for n in shape))


def _verify(v: View) -> None:
    verify_broadcast(v)
    if v.y().dtype in QUANTIZED:
        v.scaled(v.x(), v.x(1), v.y())
    v.clamp(v.attrs(BinaryAttrs).clamp)


def _verify_add(v: View) -> None:
    _verify_sum(v)
    whole = v.y().dtype is not DType.INT32 or v.attrs(BinaryAttrs).clamp == DType.INT32.range
    v.need(whole, "of int32 has a fused activation, which TFLM leaves out", "put the activation behind it as its own")


def _verify_sum(v: View) -> None:
    _verify(v)
    a, b, y = v.x(), v.x(1), v.y()
    if y.dtype in QUANTIZED:
        real = 2 * max(a.q.scale, b.q.scale) / ((1 << add_left_shift(y)) * y.q.scale)
        v.need(real < 1, f"has an output scale {y.q.scale:g} too small for its inputs' ({a.q.scale:g}, {b.q.scale:g})")


def _sum(inputs: Inputs, op: Operands, sign: int) -> tuple[Array, ...]:
    clamp = cast(BinaryAttrs, op.attrs).clamp
    if op.y.dtype not in QUANTIZED:
        a, b = plain(inputs, 0), plain(inputs, 1)
        return (clip(a + b if sign > 0 else a - b, clamp, op.y),)
    if op.rounding is Rounding.ONNX:
        real_a, real_b = _real(inputs, op)
        return (_as_onnx(real_a + real_b if sign > 0 else real_a - real_b, clamp, op),)
    factors = add_params(op.x, op.input(1), op.y)
    a = multiply_by_quantized_multiplier(centred(inputs, 0, op) << factors.left_shift, factors.a.m, factors.a.shift)
    b = multiply_by_quantized_multiplier(centred(inputs, 1, op) << factors.left_shift, factors.b.m, factors.b.shift)
    total = multiply_by_quantized_multiplier(a + sign * b, factors.y.m, factors.y.shift) + op.y.q.zero_point
    return (clip(total, clamp, op.y),)


def _real(inputs: Inputs, op: Operands) -> tuple[Any, Any]:
    """Both operands in float32."""
    a, b = (dequantize_values(array(inputs, i), op.input(i)) for i in range(2))
    return a, b


def _as_onnx(real: Array, clamp: Clamp, op: Operands) -> Array:
    """What QuantizeLinear makes of the float32 result."""
    made: Array = np.clip(onnx_quantized(real, op.y), *clamp).astype(op.y.dtype.numpy).reshape(op.y.shape)
    return made


def add(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """ADD with broadcasting: both operands scaled to 20 more bits (int16: 15), summed, scaled back."""
    return _sum(inputs, op, 1)


def subtract(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SUB with broadcasting, as ADD."""
    return _sum(inputs, op, -1)


def _verify_mul(v: View) -> None:
    _verify(v)
    if v.y().dtype in QUANTIZED:
        v.multiplier(v.x().q.scale * v.x(1).q.scale / v.y().q.scale, reach(v.x()) * reach(v.x(1)))


def mul(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MUL with broadcasting."""
    clamp = cast(BinaryAttrs, op.attrs).clamp
    if op.y.dtype not in QUANTIZED:
        return (clip(plain(inputs, 0) * plain(inputs, 1), clamp, op.y),)
    if op.rounding is Rounding.ONNX:
        real_a, real_b = _real(inputs, op)
        return (_as_onnx(real_a * real_b, clamp, op),)
    factor = mul_params(op.x, op.input(1), op.y)
    product = centred(inputs, 0, op) * centred(inputs, 1, op)
    scaled = multiply_by_quantized_multiplier(product, factor.m, factor.shift) + op.y.q.zero_point
    return (clip(scaled, clamp, op.y),)


def _read(op: Reading) -> Read:
    op.count(2)
    return op.ids(0, 1), BinaryAttrs(op.clamp(4))


def _write(to: Writing, node: Node) -> OperatorDraft:
    activation = activation_number(cast(BinaryAttrs, node.attrs).clamp, to.graph.tensors[node.outputs[0]])
    return OperatorDraft(node.op, node.inputs, node.outputs, node.op.title(), {"FusedActivationFunction": activation})


OPERATORS = (
    Operator(
        "ADD",
        _verify_add,
        add,
        attrs=BinaryAttrs,
        inputs=(2, 2),
        types=_TYPES,
        traits=frozenset({Trait.PAIRWISE}),
        tflite=TfliteForm(0, _write, _read, options=11),
        roundings=EITHER_ROUNDING,
    ),
    Operator(
        "SUB",
        _verify_sum,
        subtract,
        attrs=BinaryAttrs,
        inputs=(2, 2),
        types=_TYPES,
        traits=frozenset({Trait.PAIRWISE}),
        tflite=TfliteForm(41, _write, _read, options=28),
        roundings=EITHER_ROUNDING,
    ),
    Operator(
        "MUL",
        _verify_mul,
        mul,
        attrs=BinaryAttrs,
        inputs=(2, 2),
        types=_TYPES,
        traits=frozenset({Trait.PAIRWISE, Trait.PRODUCT}),
        tflite=TfliteForm(18, _write, _read, options=21),
        roundings=EITHER_ROUNDING,
    ),
)
