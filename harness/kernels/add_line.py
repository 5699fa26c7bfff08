"""The search for ADD as one line through both operands, exact for all of them.

    sum = a * a_multiplier + b * b_multiplier + offset
    output = sum >> fraction_bits, clamped; or (sum - (sum < 0) + rounding) >> fraction_bits (`away`)

TFLM rounds both operands to a common scale with 20 bits of head room and their sum to the output's
(harness/quantization/params.py, AddParams), so it is within about 2**-20 of a step of the line, and the two differ only
where a sum lies so near to a tie. There are 65536 pairs of operands: each is tried, here, before a line is taken. Ties
that are met exactly, as with operands of one scale, go away from zero in TFLM; there `away` is the form, with the
output's zero point in the rounding constant. ADD as ONNX defines it, in float32, is tried in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from harness.ir.graph import Tensor
from harness.quantization.fixedpoint import INT32_MAX, Ints, multiply_by_quantized_multiplier
from harness.quantization.onnx_rounding import nearest_even
from harness.quantization.params import AddParams
from harness.quantization.types import Clamp, Rounding

Scales: TypeAlias = tuple[float, float, float]

_OPERANDS = np.arange(-128, 128, dtype=np.int64)
NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class LineForm:
    """How a kernel computes the line, and which lines are tried for it.

    Attributes:
        fraction_bits: of the multipliers; sums are shifted right by so many.
        tried: what is added to the multipliers nearest to the real ratios, in the order in which it is tried.
        away: for each pair of multipliers, whether the form `away` is tried.
        half: what the kernel's shift adds by itself, since it rounds.
        unbounded: stands for a bound of the constant where no output sets one.
        largest: the constant is brought within -largest..largest.
        products_fit: whether sums must fit int32 before the constant of the form that is not `away` is added, too.
    """

    fraction_bits: int
    tried: tuple[tuple[int, int], ...]
    away: tuple[bool, ...] = (False,)
    half: int = 0
    unbounded: int = NO_LIMIT
    largest: int = NO_LIMIT
    products_fit: bool = False


@dataclass(frozen=True)
class AddLine:
    """Constants of the form, int32; `rounding` is 0 unless `away`."""

    a_multiplier: int
    b_multiplier: int
    offset: int
    away: bool
    rounding: int


def scales_of(a: Tensor, b: Tensor, y: Tensor) -> Scales:
    """Scales of the operands and the output."""
    return float(a.q.scale), float(b.q.scale), float(y.q.scale)


def zeros_of(a: Tensor, b: Tensor, y: Tensor) -> tuple[int, int, int]:
    """Zero points of the operands and the output."""
    return a.q.zero_point, b.q.zero_point, y.q.zero_point


@lru_cache(maxsize=4096)
def find_line(
    params: AddParams, scales: Scales, zeros: tuple[int, int, int], clamp: Clamp, rounding: Rounding, form: LineForm
) -> AddLine | None:
    """The first line that equals the ADD for every pair of operands, or None where none was found.

    Args:
        params, clamp, rounding: of the ADD.
        scales, zeros: scales_of and zeros_of its operands and output.
        form: of the kernel.
    """
    ratios = scales[0] / scales[2], scales[1] / scales[2]
    wanted = _as_tflm(params, zeros, clamp) if rounding is Rounding.TFLM else _as_onnx(scales, zeros, clamp)
    near = [round(ratio * (1 << form.fraction_bits)) for ratio in ratios]
    for more_a, more_b in form.tried:
        for away in form.away:
            found = _through(near[0] + more_a, near[1] + more_b, zeros, wanted, clamp, form, away)
            if found is not None:
                return found
    return None


def _as_onnx(scales: Scales, zeros: tuple[int, int, int], clamp: Clamp) -> Ints:
    """int64[a, b]: what ONNX defines for every pair, harness/quantization/onnx_rounding.py."""
    a, b = ((_OPERANDS - zeros[i]).astype(np.float32) * np.float32(scales[i]) for i in range(2))
    steps = (a[:, None] + b[None, :]) / np.float32(scales[2])
    return np.clip(nearest_even(steps) + zeros[2], *clamp).astype(np.int64)


def _as_tflm(params: AddParams, zeros: tuple[int, int, int], clamp: Clamp) -> Ints:
    """int64[a, b]: TFLM's output of every pair."""
    a = multiply_by_quantized_multiplier((_OPERANDS - zeros[0]) << params.left_shift, params.a.m, params.a.shift)
    b = multiply_by_quantized_multiplier((_OPERANDS - zeros[1]) << params.left_shift, params.b.m, params.b.shift)
    total = multiply_by_quantized_multiplier(a[:, None] + b[None, :], params.y.m, params.y.shift)
    return np.clip(total + zeros[2], *clamp).astype(np.int64)


def _through(
    a_multiplier: int,
    b_multiplier: int,
    zeros: tuple[int, int, int],
    wanted: Ints,
    clamp: Clamp,
    form: LineForm,
    away: bool,
) -> AddLine | None:
    """The line of these slopes, if there is one."""
    bits = form.fraction_bits
    slopes = a_multiplier * _OPERANDS[:, None] + b_multiplier * _OPERANDS[None, :]
    offset = -(a_multiplier * zeros[0] + b_multiplier * zeros[1]) if away else 0
    moved = slopes + offset
    if away:
        moved = moved + (moved >> 31)
    # Where the output is the clamp's end, only one side of a step matters.
    lowest = ((wanted << bits) - moved)[wanted > clamp[0]].max(initial=-form.unbounded)
    highest = (((wanted + 1) << bits) - 1 - moved)[wanted < clamp[1]].min(initial=form.unbounded)
    middle = int(np.clip((lowest + highest) >> 1, -form.largest, form.largest))
    if not lowest <= middle <= highest:
        return None
    constant = middle - form.half
    sums: list[Ints] = [moved + constant, np.array([constant])]
    if away or form.products_fit:
        sums.append(slopes + offset)
    if any(int(np.abs(part).max()) > INT32_MAX for part in sums):
        return None
    assert (np.clip((moved + middle) >> bits, *clamp) == wanted).all(), "the line misses a pair"
    if away:
        return AddLine(a_multiplier, b_multiplier, int(offset), True, constant)
    return AddLine(a_multiplier, b_multiplier, constant, False, 0)
