"""ADD and MUL, int8, with broadcasting."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.ir.operators.binary import BinaryAttrs
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Argument, At, Call, ConstantTable, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.loops import DEPTH, NestLoop, broadcast_loops_of, broadcast_nest, nest_fields, padded
from harness.kernels.work import Work
from harness.quantization.params import Multiplier, add_params, mul_params

_NONE = Multiplier(0, 0)


def binary_nest(context: Context) -> list[NestLoop]:
    """The loops of a node with two operands.

    Raises:
        CompileError: more loops than the kernels have.
    """
    a, b, y = context.input(0), context.input(1), context.output()
    return broadcast_nest(a, b, y, f"{context.node.op} into '{y.name}'")


def fits_nest(context: Context) -> bool:
    """Whether the loops of a node with two operands are no more than those of the kernels."""
    return len(broadcast_loops_of(context.input(0), context.input(1), context.output())) <= DEPTH


def broadcast_loops(context: Context) -> dict[str, int]:
    """Fields of the C shape: loops over the output, and how far either operand moves in each."""
    return nest_fields(binary_nest(context))


def binary_loops(context: Context) -> dict[str, float]:
    """Loops of a kernel of two operands that the compiler specialises to its shape.

    `value`: elements of runs in which one operand stays; `zero`: subtractions of zero points that are not 0; `clamp`:
    ends of the output's clamp that are not the type's.
    """
    attrs, a, b, y = context.node.attrs, context.input(0), context.input(1), context.output()
    assert isinstance(attrs, BinaryAttrs)
    row, elements = broadcast_loops_of(a, b, y)[-1], y.elements
    loops: dict[str, float] = {"element": elements, "run": elements // row.count}
    loops["value"] = elements * (0 in row.steps and row.count > 1)
    loops["zero"] = elements * ((a.q.zero_point != 0) + (b.q.zero_point != 0))
    narrower = sum(end != limit for end, limit in zip(attrs.clamp, y.dtype.range, strict=True))
    return loops | {"clamp": elements * narrower}


def _slices(context: Context, function: str, shape: dict[str, int]) -> tuple[Call, ...]:
    """A call for every iteration of the loops that are more than those of the kernels."""
    a, b, y = context.input(0), context.input(1), context.output()
    loops = broadcast_loops_of(a, b, y)
    outer, inner = loops[:-DEPTH], padded(loops[-DEPTH:], DEPTH, 2, context.node.op)
    size = prod(loop.count for loop in inner)
    calls = []
    for number, place in enumerate(np.ndindex(*(loop.count for loop in outer))):
        arguments: list[Argument] = []
        for i, tensor in enumerate((a, b)):
            start = sum(at * loop.steps[i] for at, loop in zip(place, outer, strict=True))
            if tensor.data is None:
                arguments.append(At(context.node.inputs[i], start))
            else:
                length = 1 + sum((loop.count - 1) * loop.steps[i] for loop in inner)
                data = np.ascontiguousarray(tensor.data).reshape(-1)[start : start + length]
                arguments.append(ConstantTable(f"input_{i}", "int8_t", data))
        arguments.append(At(context.node.outputs[0], number * size))
        calls.append(Call(function, tuple(arguments), nest_fields(inner) | shape))
    return tuple(calls)


class _BinaryS8(Kernel):
    function: str

    def multipliers(self, context: Context) -> tuple[int, Multiplier, Multiplier, Multiplier]:
        """Left shift, and multipliers of a, b and the output."""
        raise NotImplementedError

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        a, b, y = context.input(0), context.input(1), context.output()
        left_shift, ma, mb, my = self.multipliers(context)
        shape = {"a_zero": a.q.zero_point, "a_multiplier": ma.m, "a_shift": ma.shift}
        shape |= {"b_zero": b.q.zero_point, "b_multiplier": mb.m, "b_shift": mb.shift, "left_shift": left_shift}
        shape |= {"out_zero": y.q.zero_point, "out_multiplier": my.m, "out_shift": my.shift}
        shape |= {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        if not fits_nest(context):
            return Lowered(self.function, _slices(context, self.function, shape))
        call = Call(self.function, (In(0), In(1), Out()), broadcast_loops(context) | shape)
        return Lowered(self.function, (call,))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        return Work(binary_loops(context))


class AddS8Portable(_BinaryS8):
    """int8 ADD."""

    ops = frozenset({"ADD"})
    function = "add_s8_portable"

    def multipliers(self, context: Context) -> tuple[int, Multiplier, Multiplier, Multiplier]:
        p = add_params(context.input(0), context.input(1), context.output())
        return p.left_shift, p.a, p.b, p.y


class MulS8Portable(_BinaryS8):
    """int8 MUL."""

    ops = frozenset({"MUL"})
    function = "mul_s8_portable"

    def multipliers(self, context: Context) -> tuple[int, Multiplier, Multiplier, Multiplier]:
        return 0, _NONE, _NONE, mul_params(context.input(0), context.input(1), context.output())


KERNELS: tuple[Kernel, ...] = (AddS8Portable(), MulS8Portable())
