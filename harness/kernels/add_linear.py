"""ADD as one line through both operands, exact where proved.

    sum = a * multiplier_a + b * multiplier_b + offset
    output = sum >> FRACTION_BITS, clamped; or (sum - (sum < 0) + rounding) >> FRACTION_BITS (`away`)

TFLM rounds both operands to a common scale with 20 bits of head room and their sum to the output's
(oracle/params.py, AddParams), so it is within about 2**-20 of a step of the line, and the two differ only where a sum
lies so near to a tie. There are 65536 pairs of operands: each is tried, here, before a line is taken. Ties that are met
exactly, as with operands of one scale, go away from zero in TFLM; there `away` is the form, with the output's zero
point in the rounding constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from harness.ir.graph import BinaryAttrs, Tensor
from harness.kernels.access_order import AccessOrder, elementwise
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.elementwise import binary_loops, broadcast_loops
from harness.kernels.scaling_dsp import DSP, clamp_loops, clamped
from harness.kernels.work import Work
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier
from harness.quantization.params import AddParams, add_params
from harness.quantization.types import Clamp

FRACTION_BITS = 21
_TRIED = 2
_OPERANDS = np.arange(-128, 128, dtype=np.int64)
_FAR = np.int64(1) << 60


@dataclass(frozen=True)
class AddLine:
    """Constants of the form, int32; `rounding` is 0 unless `away`."""

    a_multiplier: int
    b_multiplier: int
    offset: int
    away: bool
    rounding: int


def line_of(a: Tensor, b: Tensor, y: Tensor, clamp: Clamp) -> AddLine | None:
    """A line that equals TFLM's ADD for every pair of operands, or None where none was found."""
    ratios = (float(a.q.scale) / float(y.q.scale), float(b.q.scale) / float(y.q.scale))
    zeros = (a.q.zero_point, b.q.zero_point, y.q.zero_point)
    return _line(add_params(a, b, y), ratios, zeros, clamp)


@lru_cache(maxsize=64)
def _line(params: AddParams, ratios: tuple[float, float], zeros: tuple[int, int, int], clamp: Clamp) -> AddLine | None:
    if max(ratios) * 256 > 1 << (31 - FRACTION_BITS):
        return None
    wanted = _specified(params, zeros, clamp)
    near = [round(ratio * (1 << FRACTION_BITS)) for ratio in ratios]
    for first in range(-_TRIED, _TRIED + 1):
        for second in range(-_TRIED, _TRIED + 1):
            for away in (False, True):
                found = _through(near[0] + first, near[1] + second, zeros, wanted, clamp, away)
                if found is not None:
                    return found
    return None


def _specified(params: AddParams, zeros: tuple[int, int, int], clamp: Clamp) -> Ints:
    """int64[a, b]: TFLM's output of every pair."""
    a = multiply_by_quantized_multiplier((_OPERANDS - zeros[0]) << params.left_shift, params.a.m, params.a.shift)
    b = multiply_by_quantized_multiplier((_OPERANDS - zeros[1]) << params.left_shift, params.b.m, params.b.shift)
    total = multiply_by_quantized_multiplier(a[:, None] + b[None, :], params.y.m, params.y.shift)
    return np.clip(total + zeros[2], *clamp).astype(np.int64)


def _through(
    a_multiplier: int, b_multiplier: int, zeros: tuple[int, int, int], wanted: Ints, clamp: Clamp, away: bool
) -> AddLine | None:
    """The line of these slopes, if there is one."""
    slopes = a_multiplier * _OPERANDS[:, None] + b_multiplier * _OPERANDS[None, :]
    offset = -(a_multiplier * zeros[0] + b_multiplier * zeros[1]) if away else 0
    moved = slopes + offset
    if away:
        moved = moved + (moved >> 31)
    lowest = np.where(wanted > clamp[0], (wanted << FRACTION_BITS) - moved, -_FAR).max()
    highest = np.where(wanted < clamp[1], ((wanted + 1) << FRACTION_BITS) - 1 - moved, _FAR).min()
    if lowest > highest:
        return None
    # Where one side is open, all outputs are the clamp's.
    middle = int(np.clip((lowest + highest) >> 1, -(1 << 30), 1 << 30))
    if not lowest <= middle <= highest:
        return None
    sums = (slopes + offset, moved + middle)
    if any(int(np.abs(part).max()) >= 1 << 31 for part in sums):
        return None
    assert (np.clip((moved + middle) >> FRACTION_BITS, *clamp) == wanted).all(), "the line misses a pair"
    if away:
        return AddLine(a_multiplier, b_multiplier, int(offset), True, middle)
    return AddLine(a_multiplier, b_multiplier, middle, False, 0)


def _line_of(context: Context) -> AddLine | None:
    attrs = context.node.attrs
    assert isinstance(attrs, BinaryAttrs)
    return line_of(context.input(0), context.input(1), context.output(), attrs.clamp)


def _fields(line: AddLine) -> dict[str, int]:
    fields = {"away": int(line.away), "a_multiplier": line.a_multiplier, "b_multiplier": line.b_multiplier}
    return fields | {"offset": line.offset, "rounding": line.rounding}


class AddS8Linear(Kernel):
    """int8 ADD on any core, with broadcasting."""

    ops = frozenset({"ADD"})

    def applies(self, context: Context) -> bool:
        return _line_of(context) is not None

    def lower(self, context: Context) -> Lowered:
        attrs, line = context.node.attrs, _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        shape = broadcast_loops(context) | _fields(line) | {"clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Lowered("add_s8_linear", (Call("add_s8_linear", (In(0), In(1), Out()), shape),))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1))

    def work(self, context: Context) -> Work:
        line = _line_of(context)
        assert line is not None
        loops = binary_loops(context)
        return Work(loops | {"away": context.output().elements * line.away})


class AddS8Dsp(AddS8Linear):
    """int8 ADD of operands of one shape, in assembly."""

    features = DSP

    def applies(self, context: Context) -> bool:
        sizes = {context.input(0).elements, context.input(1).elements, context.output().elements}
        return len(sizes) == 1 and super().applies(context)

    def lower(self, context: Context) -> Lowered:
        attrs, line = context.node.attrs, _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        call = Call("add_s8_dsp", (In(0), In(1), Out()), {"count": context.output().elements} | _fields(line))
        return Lowered("add_s8_dsp", clamped(context, (call,), attrs.clamp))

    def access_order(self, context: Context) -> AccessOrder:
        return elementwise(context, (0, 1), group=4)

    def work(self, context: Context) -> Work:
        attrs, elements = context.node.attrs, context.output().elements
        line = _line_of(context)
        assert isinstance(attrs, BinaryAttrs) and line is not None
        loops = {"four": elements // 4, "rest": elements % 4, "away": elements * line.away}
        return Work(loops | clamp_loops(context, attrs.clamp))


KERNELS: tuple[Kernel, ...] = (AddS8Linear(), AddS8Dsp())
