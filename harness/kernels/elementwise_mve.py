"""Two quantized operands on Armv8.1-M MVE: ADD, MUL, SUB, comparisons and others, int8 and int16."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.ir.graph import Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.operator import EITHER_ROUNDING
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.add_line import AddLine, LineForm, find_line, scales_of, zeros_of
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_nest, fits_nest
from harness.kernels.loops import NestLoop, nest_fields, operation_loop
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.kernels.numbers import SCALED, SCALED_TYPES, scaled_fields
from harness.quantization.fixedpoint import INT32_MAX
from harness.quantization.params import add_params
from harness.quantization.types import Clamp, DType, Rounding

FRACTION_BITS = constant("add_line.h", "HIL_ADD_FRACTION_BITS_MVE")
_TRIED = 64
_BYTES = "uint8_t"


def _near(tried: int) -> tuple[tuple[int, int], ...]:
    """Nothing first, then random steps to both sides of it."""
    steps = np.random.default_rng(0).integers(-tried // 2, tried // 2 + 1, (tried, 2))
    steps[0] = 0
    return tuple((int(a), int(b)) for a, b in steps)


FORM = LineForm(FRACTION_BITS, _near(_TRIED), half=1 << (FRACTION_BITS - 1), unbounded=INT32_MAX)


def line_of(a: Tensor, b: Tensor, y: Tensor, clamp: Clamp, rounding: Rounding = Rounding.TFLM) -> AddLine | None:
    """A line that equals the ADD for every pair of operands, or None where none was found."""
    scales = scales_of(a, b, y)
    if 128 * sum(scales[:2]) / scales[2] * 2**FRACTION_BITS > INT32_MAX:
        return None
    return find_line(add_params(a, b, y), scales, zeros_of(a, b, y), clamp, rounding, FORM)


@dataclass(frozen=True)
class Nest:
    """Loops over two operands and a dense output; the innermost one is dense in a, and in b unless that is one value.

    Attributes:
        swapped: whether a is input 1.
    """

    loops: tuple[NestLoop, ...]
    swapped: bool

    @property
    def order(self) -> tuple[int, int]:
        """Inputs that are a and b."""
        return (1, 0) if self.swapped else (0, 1)


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


class AddLinearS8Mve(MveKernel):
    """ADD by one linear function, where that is exact."""

    ops = frozenset({"ADD"})
    roundings = EITHER_ROUNDING
    function = "add_linear_s8_mve"
    group: ClassVar[int] = 16

    def applies(self, context: Context) -> bool:
        return fits_nest(context) and self._line(context) is not None

    def _line(self, context: Context) -> AddLine | None:
        clamp, rounding = self._clamp(context), context.node.rounding
        return line_of(context.input(0), context.input(1), context.output(), clamp, rounding)

    def _clamp(self, context: Context) -> Clamp:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        return attrs.clamp

    def lower(self, context: Context) -> Lowered:
        clamp, line = self._clamp(context), self._line(context)
        assert line is not None
        found = nest(context)
        factors = [(line.a_multiplier, line.b_multiplier)[i] for i in found.order]
        shape = {**nest_fields(found.loops), "a_factor": factors[0], "b_factor": factors[1], "offset": line.offset}
        shape |= {"clamp_min": clamp[0], "clamp_max": clamp[1]}
        return Lowered(self.function, (Call(self.function, (*map(In, found.order), Out()), shape),))

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
            "clamped": groups * (self._clamp(context) != DType.INT8.range),
            "rest": runs * -(-(last.count % self.group) // 4),
        }


class ScaledBinaryMve(MveKernel):
    """Two quantized operands of int8 or int16, by TFLM's own steps."""

    ops = SCALED
    types = SCALED_TYPES
    function = "scaled_binary_mve"

    def applies(self, context: Context) -> bool:
        return fits_nest(context)

    def lower(self, context: Context) -> Lowered:
        found = nest(context)
        shape = {**nest_fields(found.loops), **scaled_fields(context, found.order), "swapped": int(found.swapped)}
        arguments = (In(found.order[0], _BYTES), In(found.order[1], _BYTES), Out(ctype=_BYTES))
        return Lowered(self.function, (Call(self.function, arguments, shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def loops(self, context: Context) -> Loops:
        last = nest(context).loops[-1]
        runs = context.output().elements // last.count
        fours = runs * -(-last.count // 4)
        return {
            "run": runs,
            "rest": runs * (last.count % 4 > 0),
            "dense": fours * last.steps[1],
            operation_loop(context, "four"): fours,
        }


KERNELS: tuple[Kernel, ...] = (AddLinearS8Mve(), ScaledBinaryMve())
