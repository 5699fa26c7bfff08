"""SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL over some dimensions; ARG_MAX and ARG_MIN along one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Attrs, Node, Tensor
from harness.ir.operators.operands import Floats, Inputs, Operands, array, centred, clip, floats
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.params import requantize_params
from harness.quantization.types import Array, DType

_Values = TypeVar("_Values", bound=Array)


@dataclass(frozen=True)
class ReduceAttrs(Attrs):
    """A reduction over `axes` (sorted, non-negative)."""

    axes: tuple[int, ...]
    keep_dims: bool


def verify_axes(v: View) -> int:
    """Checks axes and the output's shape; returns how many elements become one."""
    x, y, attrs = v.x(), v.y(), v.attrs(ReduceAttrs)
    axes, rank = attrs.axes, len(x.shape)
    v.need(bool(axes) and list(axes) == sorted(set(axes)) and 0 <= axes[0] <= axes[-1] < rank, f"has axes {list(axes)}")
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if attrs.keep_dims or i not in axes)
    v.shape(y, kept)
    return prod(x.shape[i] for i in axes)


def rows(values: _Values, x: Tensor, axes: tuple[int, ...]) -> _Values:
    """[output element, element of x that goes into it], both in the input's order."""
    kept = [i for i in range(len(x.shape)) if i not in axes]
    return cast(_Values, values.transpose([*kept, *axes]).reshape(prod(x.shape[i] for i in kept), -1))


def sum_in_order(values: Floats) -> Floats:
    """Sums of rows of float32, one element after another from 0 on."""
    begun = np.concatenate([np.zeros((len(values), 1), np.float32), values], axis=1)
    return cast(Floats, np.add.accumulate(begun, axis=1, dtype=np.float32)[:, -1])


def _verify_sum(v: View) -> None:
    count = verify_axes(v)
    if v.y().dtype is not DType.FLOAT32:
        v.scaled(v.x(), v.y())
        v.need(count * span(v.x()) < INT32, f"sums {count} elements, with which sums overflow 32 bits")
        v.multiplier(v.x().q.scale / v.y().q.scale, count * span(v.x()))


def total(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SUM: of floats in the input's order; of integers less their zero point, rescaled."""
    axes = cast(ReduceAttrs, op.attrs).axes
    if op.y.dtype is DType.FLOAT32:
        return (sum_in_order(rows(floats(inputs, 0), op.x, axes)).reshape(op.y.shape),)
    summed = rows(centred(inputs, 0, op), op.x, axes).sum(axis=1)
    factor = requantize_params(op.x, op.y)
    scaled = multiply_by_quantized_multiplier(summed, factor.m, factor.shift) + op.y.q.zero_point
    return (clip(scaled, op.y.dtype.range, op.y),)


def _verify_extreme(v: View) -> None:
    verify_axes(v)
    v.moved(v.x(), v.y())


def _extreme(place: Callable[..., npt.NDArray[np.intp]]) -> Callable[[Inputs, Operands], tuple[Array, ...]]:
    """`place`: np.argmax or np.argmin, the first of several that are alike: zeros have signs."""

    def compute(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
        """What is no number is passed over, and no float is beyond the other end of finite ones, where TFLM begins."""
        found = rows(array(inputs, 0), op.x, cast(ReduceAttrs, op.attrs).axes)
        if op.y.dtype is DType.FLOAT32:
            begin = np.float32(DType.FLOAT32.range[0 if place is np.argmax else 1])
            found = np.pad(np.where(np.isnan(found), begin, found), ((0, 0), (1, 0)), constant_values=begin)
        return (np.take_along_axis(found, place(found, axis=1)[:, np.newaxis], axis=1).reshape(op.y.shape),)

    return compute


def _verify_all(v: View) -> None:
    verify_axes(v)


def read_reduction(op: Reading) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """Inputs, axes and whether they stay as dimensions of one element."""
    op.count(2)
    rank = len(op.input(0).shape)
    axes = sorted({op.axis(a, rank) for a in op.constant(1, "axes")})
    return op.ids(0), tuple(axes), op.flag(4)


def _read(op: Reading) -> Read:
    inputs, axes, keep = read_reduction(op)
    return inputs, ReduceAttrs(axes, keep)


def write_reduction(to: Writing, node: Node) -> OperatorDraft:
    """The same, written."""
    attrs = cast(ReduceAttrs, node.attrs)
    axes = to.constant("axes", np.array(attrs.axes, np.int32))
    return OperatorDraft(node.op, (*node.inputs, axes), node.outputs, "Reducer", {"KeepDims": attrs.keep_dims})


# --- ARG_MAX and ARG_MIN ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ArgAttrs(Attrs):
    """ARG_MAX and ARG_MIN along `axis` (non-negative), which is no dimension of the output."""

    axis: int


def _verify_arg(v: View) -> None:
    x, axis = v.x(), v.attrs(ArgAttrs).axis
    v.need(0 <= axis < len(x.shape), f"has axis {axis} over {len(x.shape)} dimensions")
    v.shape(v.y(), x.shape[:axis] + x.shape[axis + 1 :])


def _arg(pick: Callable[..., Array]) -> Callable[[Inputs, Operands], tuple[Array, ...]]:
    def compute(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
        """Index of the first of the largest, or smallest. What is no number is passed over, but first it stays."""
        values, axis = array(inputs, 0), cast(ArgAttrs, op.attrs).axis
        if op.x.dtype is DType.FLOAT32:
            none = np.isnan(values)
            stays = none.take(0, axis)
            values = np.where(none, np.float32(-np.inf if pick is np.argmax else np.inf), values)
            return (np.where(stays, 0, pick(values, axis=axis)).astype(op.y.dtype.numpy),)
        return (np.asarray(pick(values, axis=axis)).astype(op.y.dtype.numpy),)

    return compute


def _read_arg(op: Reading) -> Read:
    op.count(2)
    axes = op.constant(1, "axis")
    if len(axes) != 1:
        raise damaged(f"{op.place}: {op.name} along {list(axes)}")
    return op.ids(0), ArgAttrs(op.axis(axes[0], len(op.input(0).shape)))


def _write_arg(to: Writing, node: Node) -> OperatorDraft:
    axis = to.constant("axis", np.array([cast(ArgAttrs, node.attrs).axis], np.int32))
    options, number = ("ArgMax" if node.op == "ARG_MAX" else "ArgMin"), 2
    return OperatorDraft(node.op, (*node.inputs, axis), node.outputs, options, {"OutputType": number})


_ARG = tuple(Types(x, DType.INT32) for x in (DType.INT8, DType.FLOAT32))

OPERATORS = (
    Operator(
        "SUM",
        _verify_sum,
        total,
        attrs=ReduceAttrs,
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        tflite=TfliteForm(74, write_reduction, _read, options=27, operands=REST),
    ),
    Operator(
        "REDUCE_MAX",
        _verify_extreme,
        _extreme(np.argmax),
        attrs=ReduceAttrs,
        types=same(DType.INT8, DType.FLOAT32),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(82, write_reduction, _read, options=27, operands=REST),
    ),
    Operator(
        "REDUCE_MIN",
        _verify_extreme,
        _extreme(np.argmin),
        attrs=ReduceAttrs,
        types=same(DType.INT8, DType.FLOAT32),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(89, write_reduction, _read, options=27, operands=REST),
    ),
    Operator(
        "REDUCE_ALL",
        _verify_all,
        _extreme(np.argmin),
        attrs=ReduceAttrs,
        types=same(DType.BOOL),
        tflite=TfliteForm(140, write_reduction, _read, options=27, operands=REST),
    ),
    Operator(
        "ARG_MAX",
        _verify_arg,
        _arg(np.argmax),
        attrs=ArgAttrs,
        types=_ARG,
        tflite=TfliteForm(56, _write_arg, _read_arg, options=40, operands=REST),
    ),
    Operator(
        "ARG_MIN",
        _verify_arg,
        _arg(np.argmin),
        attrs=ArgAttrs,
        types=_ARG,
        tflite=TfliteForm(79, _write_arg, _read_arg, options=57, operands=REST),
    ),
)
