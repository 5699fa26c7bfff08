"""ADD and MUL, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.ir.graph import Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.add_line import AddLine, LineForm, find_line, ratios_of, zeros_of
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_nest, fits_nest
from harness.kernels.loops import NestLoop, nest_fields
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.quantization.fixedpoint import INT32_MAX
from harness.quantization.params import Multiplier, add_params, mul_params
from harness.quantization.types import Clamp

FRACTION_BITS = constant("add_line.h", "HIL_ADD_FRACTION_BITS_MVE")
_TRIED = 64


def _near(tried: int) -> tuple[tuple[int, int], ...]:
    """Nothing first, then random steps to both sides of it."""
    steps = np.random.default_rng(0).integers(-tried // 2, tried // 2 + 1, (tried, 2))
    steps[0] = 0
    return tuple((int(a), int(b)) for a, b in steps)


FORM = LineForm(FRACTION_BITS, _near(_TRIED), half=1 << (FRACTION_BITS - 1), unbounded=INT32_MAX)


def line_of(a: Tensor, b: Tensor, y: Tensor, clamp: Clamp) -> AddLine | None:
    """A line that equals TFLM's ADD for every pair of operands, or None where none was found."""
    ratios = ratios_of(a, b, y)
    if 128 * sum(ratios) * 2**FRACTION_BITS > INT32_MAX:
        return None
    return find_line(add_params(a, b, y), ratios, zeros_of(a, b, y), clamp, FORM)


@dataclass(frozen=True)
class Nest:
    """Loops over two operands and a dense output; the innermost one is dense in a, and in b unless that is one value.

    Attributes:
        swapped: whether a is input 1.
    """

    loops: tuple[NestLoop, ...]
    swapped: bool


def nest(context: Context) -> Nest:
    """The loops of a node with two operands.

    Raises:
        CompileError: more loops than the kernels have.
    """
    loops = binary_nest(context)
    if loops[-1].count == 1:
        loops = [*loops[:-1], NestLoop(1, (1, 1))]
    swapped = loops[-1].steps[0] == 0
    if swapped:
        loops = [NestLoop(loop.count, (loop.steps[1], loop.steps[0])) for loop in loops]
    return Nest(tuple(loops), swapped)


class _Binary(MveKernel):
    """What the kernels of two operands share.

    Attributes:
        group: elements that a round of the inner loop computes.
    """

    function: str
    group: int

    def constants(self, context: Context, order: tuple[int, int]) -> dict[str, int]:
        """Fields of the C shape; a of the kernel is input order[0]."""
        raise NotImplementedError

    def applies(self, context: Context) -> bool:
        return fits_nest(context)

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        found = nest(context)
        order = (1, 0) if found.swapped else (0, 1)
        shape = {**nest_fields(found.loops), **self.constants(context, order)}
        shape |= {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Lowered(self.function, (Call(self.function, (In(order[0]), In(order[1]), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def loops(self, context: Context) -> Loops:
        last = nest(context).loops[-1]
        runs = context.output().elements // last.count
        value = last.steps[1] == 0
        groups = runs * (last.count // self.group)
        return {
            "run": runs,
            "dense": 0 if value else groups,
            "value": groups if value else 0,
            "rest": runs * -(-(last.count % self.group) // 4),
        }


class AddLinearS8Mve(_Binary):
    """ADD by one linear function, where that is exact."""

    ops = frozenset({"ADD"})
    function = "add_linear_s8_mve"
    group = 8

    def applies(self, context: Context) -> bool:
        return super().applies(context) and self._line(context) is not None

    def _line(self, context: Context) -> AddLine | None:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        return line_of(context.input(0), context.input(1), context.output(), attrs.clamp)

    def constants(self, context: Context, order: tuple[int, int]) -> dict[str, int]:
        line = self._line(context)
        assert line is not None
        factors = (line.a_multiplier, line.b_multiplier)
        return {"a_factor": factors[order[0]], "b_factor": factors[order[1]], "offset": line.offset}


class _Scaled(_Binary):
    """By TFLM's own steps."""

    def multipliers(self, context: Context) -> tuple[int, tuple[Multiplier, Multiplier], Multiplier]:
        """Left shift, multipliers of the inputs, and of the output."""
        raise NotImplementedError

    def constants(self, context: Context, order: tuple[int, int]) -> dict[str, int]:
        left_shift, inputs, output = self.multipliers(context)
        shape: dict[str, int] = {}
        for name, i in zip("ab", order, strict=True):
            shape |= {f"{name}_zero": context.input(i).q.zero_point}
            shape |= {f"{name}_multiplier": inputs[i].m, f"{name}_shift": inputs[i].shift}
        shape |= {"left_shift": left_shift, "out_zero": context.output().q.zero_point}
        return shape | {"out_multiplier": output.m, "out_shift": output.shift}


class AddS8Mve(_Scaled):
    """Any ADD."""

    ops = frozenset({"ADD"})
    function = "add_s8_mve"
    group = 4

    def multipliers(self, context: Context) -> tuple[int, tuple[Multiplier, Multiplier], Multiplier]:
        p = add_params(context.input(0), context.input(1), context.output())
        return p.left_shift, (p.a, p.b), p.y


class MulS8Mve(_Scaled):
    """Any MUL."""

    ops = frozenset({"MUL"})
    function = "mul_s8_mve"
    group = 4

    def multipliers(self, context: Context) -> tuple[int, tuple[Multiplier, Multiplier], Multiplier]:
        none = Multiplier(0, 0)
        return 0, (none, none), mul_params(context.input(0), context.input(1), context.output())


KERNELS: tuple[Kernel, ...] = (AddLinearS8Mve(), AddS8Mve(), MulS8Mve())
