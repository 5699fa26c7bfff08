"""CUMSUM along one dimension, and ADD_N: the sum of several tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, NoAttrs, Node
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, wrap32
from harness.quantization.params import sum_params
from harness.quantization.types import Array, DType

_MAX_TERMS = 1_000
_SUMMED = same(DType.FLOAT32, DType.INT8)


@dataclass(frozen=True)
class CumsumAttrs(Attrs):
    """CUMSUM along `axis` (non-negative).

    Attributes:
        exclusive: an element does not count itself.
        reverse: from the last element on.
    """

    axis: int
    exclusive: bool
    reverse: bool


def _verify_cumsum(v: View) -> None:
    v.shape(v.y(), v.x().shape)
    axis = v.attrs(CumsumAttrs).axis
    v.need(0 <= axis < len(v.x().shape), f"has axis {axis} over {len(v.x().shape)} dimensions")
    if v.y().dtype is DType.INT8:
        v.scaled(v.x(), v.y())
        sum_params(v.x(), v.y())


def cumsum(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Running sums, from 0 on. Those of int8 begin with the zero point, and wrap around (TFLM, reference/cumsum.h)."""
    attrs = cast(CumsumAttrs, op.attrs)
    if op.y.dtype is DType.INT8:
        return (_cumsum_of_bytes(centred(inputs, 0, op), attrs, op),)
    x = np.moveaxis(array(inputs, 0), attrs.axis, -1)
    x = x[..., ::-1] if attrs.reverse else x
    sums = np.add.accumulate(np.concatenate([np.zeros_like(x[..., :1]), x], -1), axis=-1, dtype=np.float32)
    made = sums[..., :-1] if attrs.exclusive else sums[..., 1:]
    made = made[..., ::-1] if attrs.reverse else made
    return (np.ascontiguousarray(np.moveaxis(made, -1, attrs.axis)),)


def _cumsum_of_bytes(x: Ints, attrs: CumsumAttrs, op: Operands) -> Array:
    x = np.moveaxis(x, attrs.axis, -1)
    x = x[..., ::-1] if attrs.reverse else x
    first = np.full_like(x[..., :1], -op.x.q.zero_point)
    sums = _sums(np.concatenate([first, x], -1), op)
    made = sums[..., :-1] if attrs.exclusive else sums[..., 1:]
    made = made[..., ::-1] if attrs.reverse else made
    return clip(np.moveaxis(made, -1, attrs.axis), op.y.dtype.range, op.y)


def _sums(terms: Ints, op: Operands) -> Ints:
    """Running sums of int8, less its zero point, in the output's steps."""
    p = sum_params(op.x, op.y)
    scaled = multiply_by_quantized_multiplier(terms << p.left_shift, p.a.m, p.a.shift)
    sums = multiply_by_quantized_multiplier(wrap32(np.cumsum(scaled, axis=-1)), p.y.m, p.y.shift)
    made: Ints = sums + op.y.q.zero_point
    return made


def _read_cumsum(op: Reading) -> Read:
    op.count(2)
    axes = op.constant(1, "axis")
    if len(axes) != 1:
        raise damaged(f"{op.place}: CUMSUM along {list(axes)}")
    return op.ids(0), CumsumAttrs(op.axis(axes[0], len(op.input(0).shape)), op.flag(4), op.flag(6))


def _write_cumsum(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(CumsumAttrs, node.attrs)
    axis = to.constant("axis", np.array([attrs.axis], np.int32))
    fields = {"Exclusive": attrs.exclusive, "Reverse": attrs.reverse}
    return OperatorDraft(node.op, (*node.inputs, axis), node.outputs, "Cumsum", fields)


def _verify_add_n(v: View) -> None:
    for i in range(len(v.node.inputs)):
        v.need(v.x(i).shape == v.y().shape, f"adds '{v.x(i).name}' of shape {list(v.x(i).shape)}")
        if v.y().dtype is DType.INT8:
            v.scaled(v.x(i), v.y())
            quant = v.x(i).q.scale, v.x(i).q.zero_point
            v.need(quant == (v.x().q.scale, v.x().q.zero_point), "adds tensors of several scales or zero points")
    if v.y().dtype is DType.INT8:
        sum_params(v.x(), v.y())


def add_n(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The sum of all inputs, from 0 and the first one on. Of int8 as CUMSUM's (TFLM, reference/add_n.h)."""
    if op.y.dtype is DType.INT8:
        first = np.full(op.y.shape, -op.x.q.zero_point, np.int64)
        terms = np.stack([first, *(centred(inputs, i, op) for i in range(len(inputs)))], axis=-1)
        return (clip(_sums(terms, op)[..., -1], op.y.dtype.range, op.y),)
    total = np.zeros(op.y.shape, np.float32)
    for i in range(len(inputs)):
        total = total + floats(inputs, i)
    return (total,)


def _read_add_n(op: Reading) -> Read:
    op.count(2, _MAX_TERMS)
    return op.ids(*range(len(op.inputs))), NoAttrs()


OPERATORS = (
    Operator(
        "CUMSUM",
        _verify_cumsum,
        cumsum,
        attrs=CumsumAttrs,
        types=_SUMMED,
        tflite=TfliteForm(128, _write_cumsum, _read_cumsum, options=102, version=1, operands=REST),
    ),
    Operator(
        "ADD_N",
        _verify_add_n,
        add_n,
        inputs=(2, _MAX_TERMS),
        types=_SUMMED,
        traits=frozenset({Trait.ONE_SCALE_IN}),
        tflite=TfliteForm(106, write_plain, _read_add_n, version=1),
    ),
)
