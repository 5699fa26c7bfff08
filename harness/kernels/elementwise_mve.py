"""ADD and MUL, int8, on Armv8.1-M MVE."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.ir.graph import BinaryAttrs, Tensor
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_nest
from harness.kernels.loops import NestLoop, nest_fields
from harness.kernels.mve_kernel import Loops, MveKernel
from harness.quantization.fixedpoint import INT32_MAX, Ints, multiply_by_quantized_multiplier
from harness.quantization.params import AddParams, Multiplier, add_params, mul_params
from harness.quantization.types import Clamp

FRACTION_BITS = 22
HALF = 1 << (FRACTION_BITS - 1)
_SLOPES = 64
_INT8 = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class Linear:
    """ADD as clamp((a * a_factor + b * b_factor + offset + HALF) >> FRACTION_BITS).

    Sums without HALF fit int32 for all int8 a and b.
    """

    a_factor: int
    b_factor: int
    offset: int


def add_linear(a: Tensor, b: Tensor, y: Tensor, clamp: Clamp) -> Linear | None:
    """A linear function that equals TFLM's ADD for all 65536 pairs of operands, or None when none was found."""
    zeros = (a.q.zero_point, b.q.zero_point, y.q.zero_point)
    slopes = (a.q.scale / y.q.scale, b.q.scale / y.q.scale)
    return _linear(add_params(a, b, y), slopes, zeros, clamp)


@lru_cache(maxsize=256)
def _linear(
    factors: AddParams, slopes: tuple[float, float], zeros: tuple[int, int, int], clamp: Clamp
) -> Linear | None:
    if 128 * (slopes[0] + slopes[1]) * 2**FRACTION_BITS > INT32_MAX:
        return None
    wanted = _add(factors, zeros, clamp)
    rng = np.random.default_rng(0)
    near = rng.integers(-_SLOPES // 2, _SLOPES // 2 + 1, (_SLOPES, 2))
    near[0] = 0
    for da, db in near:
        fa, fb = (round(slope * 2**FRACTION_BITS) + int(d) for slope, d in zip(slopes, (da, db), strict=True))
        products = _INT8[:, None] * fa + _INT8 * fb
        # Where the output is the clamp's end, only one side of a step matters.
        low = ((wanted << FRACTION_BITS) - products)[wanted > clamp[0]].max(initial=-INT32_MAX)
        high = (((wanted + 1) << FRACTION_BITS) - 1 - products)[wanted < clamp[1]].min(initial=INT32_MAX)
        offset = int((low + high) // 2) - HALF
        if low <= high and np.abs(products + offset).max() <= INT32_MAX and abs(offset) <= INT32_MAX:
            return Linear(fa, fb, offset)
    return None


def _add(factors: AddParams, zeros: tuple[int, int, int], clamp: Clamp) -> Ints:
    """TFLM's ADD of all a (rows) and b (columns)."""
    a, b = (
        multiply_by_quantized_multiplier((_INT8 - zero) << factors.left_shift, factor.m, factor.shift)
        for zero, factor in zip(zeros, (factors.a, factors.b), strict=False)
    )
    sums = multiply_by_quantized_multiplier(a[:, None] + b, factors.y.m, factors.y.shift)
    clipped: Ints = np.clip(sums + zeros[2], *clamp)
    return clipped


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
        return self._linear(context) is not None

    def _linear(self, context: Context) -> Linear | None:
        attrs = context.node.attrs
        assert isinstance(attrs, BinaryAttrs)
        return add_linear(context.input(0), context.input(1), context.output(), attrs.clamp)

    def constants(self, context: Context, order: tuple[int, int]) -> dict[str, int]:
        linear = self._linear(context)
        assert linear is not None
        factors = (linear.a_factor, linear.b_factor)
        return {"a_factor": factors[order[0]], "b_factor": factors[order[1]], "offset": linear.offset}


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
