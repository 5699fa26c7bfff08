"""Operators of two operands beyond int8 ADD and MUL: floats, wide integers, booleans, comparisons; SELECT_V2."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from harness.ir.graph import Tensor
from harness.ir.operators import OPERATORS, has, names_with
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.comparison import COMPARE
from harness.ir.operators.operator import ONNX_ALONE, Types, same
from harness.ir.operators.traits import Trait
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Argument, At, Call, ConstantTable, Float, In, Kernel, Lowered, Out
from harness.kernels.constants import constant, numbered
from harness.kernels.context import Context
from harness.kernels.loops import (
    DEPTH,
    NestLoop,
    broadcast_loops_of,
    broadcast_steps,
    merge,
    nest_fields,
    operation_loop,
    padded,
)
from harness.kernels.work import Work
from harness.quantization.params import (
    AddParams,
    Multiplier,
    add_params,
    compare_params,
    mul_params,
    squared_difference_params,
)
from harness.quantization.types import DType, Rounding

_BYTES = "uint8_t"
_HEADER = "plain_binary_portable.h"
OPERATION = numbered("plain_binary_portable.h", "HIL_PLAIN_")
_SMALLEST = constant(_HEADER, "HIL_PLAIN_MINIMUM")
EXTREMES = frozenset(
    name for name, number in OPERATION.items() if number in (_SMALLEST, constant(_HEADER, "HIL_PLAIN_MAXIMUM"))
)
"""Operators that take one of their operands as it is."""
_TYPE = {
    DType.INT8: constant(_HEADER, "HIL_NUMBER_S8"),
    DType.INT16: constant(_HEADER, "HIL_NUMBER_S16"),
    DType.INT32: constant(_HEADER, "HIL_NUMBER_S32"),
    DType.INT64: constant(_HEADER, "HIL_NUMBER_S64"),
    DType.BOOL: constant(_HEADER, "HIL_NUMBER_BOOL"),
    DType.FLOAT32: constant(_HEADER, "HIL_NUMBER_F32"),
}
_SCALED_TYPE = {DType.INT8: constant("convert.h", "HIL_S8"), DType.INT16: constant("convert.h", "HIL_S16")}


def _types(ops: tuple[str, ...]) -> tuple[Types, ...]:
    return tuple(dict.fromkeys(types for op in ops for types in OPERATORS[op].types))


SCALED = frozenset(
    name
    for name in OPERATION
    if not OPERATORS[name].has(Trait.AS_THEY_ARE) and any(types.x in _SCALED_TYPE for types in OPERATORS[name].types)
)
"""Operators that weigh quantized operands by their scales."""


def is_smallest(context: Context) -> bool:
    """Whether a node takes the smaller of its operands."""
    return OPERATION[context.node.op] == _SMALLEST


def _is_scaled(context: Context) -> bool:
    return context.input().dtype in _SCALED_TYPE and not has(context.node, Trait.AS_THEY_ARE)


def _loops(context: Context) -> dict[str, float]:
    """Loops of two operands: runs, and elements of the operation."""
    row = broadcast_loops_of(context.input(0), context.input(1), context.output())[-1]
    elements = context.output().elements
    return {"run": elements // row.count, operation_loop(context): elements}


def nest_calls(context: Context, function: str, extra: tuple[Argument, ...], shape: dict[str, int]) -> tuple[Call, ...]:
    """One call; with more loops than the kernels have, one for every iteration of the outer ones."""
    a, b, y = context.input(0), context.input(1), context.output()
    loops = broadcast_loops_of(a, b, y)
    if len(loops) <= DEPTH:
        nest = nest_fields(padded(loops, DEPTH, 2, context.node.op))
        return (Call(function, (In(0, _BYTES), In(1, _BYTES), Out(ctype=_BYTES), *extra), nest | shape),)
    outer, inner = loops[:-DEPTH], loops[-DEPTH:]
    size = prod(loop.count for loop in inner) * y.dtype.size
    calls = []
    for number, place in enumerate(product(*(range(loop.count) for loop in outer))):
        starts = [sum(at * loop.steps[i] for at, loop in zip(place, outer, strict=True)) for i in range(2)]
        operands = [_part(context, i, starts[i], inner) for i in range(2)]
        out = At(context.node.outputs[0], number * size, _BYTES)
        calls.append(Call(function, (*operands, out, *extra), nest_fields(inner) | shape))
    return tuple(calls)


def _part(context: Context, index: int, start: int, loops: list[NestLoop]) -> Argument:
    """An operand from element `start` on."""
    tensor = context.input(index)
    if tensor.data is None:
        return At(context.node.inputs[index], start * tensor.dtype.size, _BYTES)
    length = 1 + sum((loop.count - 1) * loop.steps[index] for loop in loops)
    data = np.ascontiguousarray(tensor.data).reshape(-1)[start : start + length]
    return ConstantTable(f"input_{index}", _BYTES, np.ascontiguousarray(data).view(np.uint8))


class PlainBinaryPortable(Kernel):
    """Two operands of numbers that have no scale, or whose scale does not matter."""

    ops = frozenset(OPERATION)
    types = _types(tuple(OPERATION))

    def applies(self, context: Context) -> bool:
        return not _is_scaled(context)

    def lower(self, context: Context) -> Lowered:
        attrs, x, y = context.node.attrs, context.input(), context.output()
        clamps = isinstance(attrs, BinaryAttrs)
        low, high = attrs.clamp if isinstance(attrs, BinaryAttrs) else y.dtype.range
        words = y.dtype is DType.INT32
        shape = {"type": _TYPE[x.dtype], "operation": OPERATION[context.node.op]}
        shape |= {"clamp_min": low if words else 0, "clamp_max": high if words else 0, "clamps": int(clamps)}
        floats = DType.FLOAT32.range if y.dtype is not DType.FLOAT32 else (low, high)
        extra = tuple(Float(float(end)) for end in floats)
        return Lowered("plain_binary_portable", nest_calls(context, "plain_binary_portable", extra, shape))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        return Work(_loops(context))


SCALED_TYPES = tuple(types for types in _types(tuple(OPERATION)) if types.x in _SCALED_TYPE)


def scaled_fields(context: Context, order: tuple[int, int]) -> dict[str, int]:
    """Fields of the C shape of operands with scales besides their loops; a of the kernel is input order[0]."""
    attrs, y = context.node.attrs, context.output()
    p = _params(context.node.op, context.input(0), context.input(1), y)
    low, high = attrs.clamp if isinstance(attrs, BinaryAttrs) else y.dtype.range
    shape = {"type": _SCALED_TYPE[context.input().dtype], "operation": OPERATION[context.node.op]}
    for name, i in zip("ab", order, strict=True):
        multiplier = (p.a, p.b)[i]
        shape |= {f"{name}_zero": context.input(i).q.zero_point}
        shape |= {f"{name}_multiplier": multiplier.m, f"{name}_shift": multiplier.shift}
    shape |= {"left_shift": p.left_shift, "out_zero": 0 if context.node.op in COMPARE else y.q.zero_point}
    return shape | {"out_multiplier": p.y.m, "out_shift": p.y.shift, "clamp_min": low, "clamp_max": high}


class ScaledBinaryPortable(Kernel):
    """Two quantized operands of int8 or int16."""

    ops = SCALED
    types = SCALED_TYPES

    def lower(self, context: Context) -> Lowered:
        shape = scaled_fields(context, (0, 1))
        return Lowered("scaled_binary_portable", nest_calls(context, "scaled_binary_portable", (), shape))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        return Work(_loops(context))


class BinaryS8OnnxPortable(Kernel):
    """ADD, SUB and MUL of int8 as ONNX defines them: in float32, rounded once, ties to even."""

    ops = frozenset(name for name in names_with(Trait.PAIRWISE) if Rounding.ONNX in OPERATORS[name].roundings)
    types = same(DType.INT8)
    roundings = ONNX_ALONE

    def lower(self, context: Context) -> Lowered:
        attrs, tensors = context.node.attrs, (context.input(0), context.input(1), context.output())
        assert isinstance(attrs, BinaryAttrs)
        shape = {"operation": OPERATION[context.node.op]}
        shape |= {f"{name}_zero": tensor.q.zero_point for name, tensor in zip(("a", "b", "out"), tensors, strict=True)}
        shape |= {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        scales = tuple(Float(float(np.float32(tensor.q.scale))) for tensor in tensors)
        return Lowered("binary_s8_onnx_portable", nest_calls(context, "binary_s8_onnx_portable", scales, shape))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        return Work(_loops(context))


def _params(op: str, a: Tensor, b: Tensor, y: Tensor) -> AddParams:
    none = Multiplier(0, 0)
    if op in COMPARE:
        return AddParams(8, compare_params(a), compare_params(b), none)
    if op == "MUL":
        return AddParams(0, none, none, mul_params(a, b, y))
    return squared_difference_params(a, b, y) if op == "SQUARED_DIFFERENCE" else add_params(a, b, y)


class LogicalNotPortable(Kernel):
    """LOGICAL_NOT."""

    ops = frozenset({"LOGICAL_NOT"})
    types = OPERATORS["LOGICAL_NOT"].types

    def lower(self, context: Context) -> Lowered:
        call = Call("logical_not_portable", (In(ctype=_BYTES), Out(ctype=_BYTES)), {"count": context.output().elements})
        return Lowered("logical_not_portable", (call,))

    def work(self, context: Context) -> Work:
        return Work({operation_loop(context): context.output().elements})


class SelectPortable(Kernel):
    """SELECT_V2."""

    ops = frozenset({"SELECT_V2"})
    types = OPERATORS["SELECT_V2"].types

    def lower(self, context: Context) -> Lowered:
        y = context.output()
        steps = [broadcast_steps(context.input(i).shape, y.shape) for i in range(3)]
        loops = [NestLoop(n, tuple(s)) for n, *s in zip(y.shape, *steps, strict=True)]
        nest = padded(merge(loops, 3), DEPTH, 3, "SELECT_V2")
        shape = {"bytes": y.dtype.size} | {f"n{i}": loop.count for i, loop in enumerate(nest)}
        shape |= {f"{name}{i}": loop.steps[k] for k, name in enumerate("cab") for i, loop in enumerate(nest)}
        call = Call("select_portable", (*(In(i, _BYTES) for i in range(3)), Out(ctype=_BYTES)), shape)
        return Lowered("select_portable", (call,))

    def work(self, context: Context) -> Work:
        return Work({f"element_{context.output().dtype.value}": context.output().elements})


KERNELS: tuple[Kernel, ...] = (
    PlainBinaryPortable(),
    ScaledBinaryPortable(),
    BinaryS8OnnxPortable(),
    LogicalNotPortable(),
    SelectPortable(),
)
