"""Requantization in two instructions, SMMUL and SSAT, exact where proved: what a fused RELU makes possible.

An accumulator that the kernel holds 2**SCALE_BITS times too large (weights in the upper byte of their int16 lane, or
the carry-packed sum before its shift) has room for the zero point and the rounding constant below its own last bit:

    y = SSAT8(SMMUL(2**SCALE_BITS * acc + offset, m') >> FRACTION_BITS)

This is one line through all outputs, y = floor(a * acc + b), saturated. TFLM's two roundings
(quantization/fixedpoint.py) are a staircase in acc that never falls (shifts of 0 or less, sums within int32). Two such
staircases are equal on low..high when they are equal at both ends and take each step between two outputs at the same
accumulator. TFLM's step to output k, with h = k - zero_point, R the smallest product that rounds to h, and ceil of the
exact quotient, is at

    T = ceil((R * 2**31 - 2**30) / multiplier),   R = h * 2**n - 2**(n-1), one more for h < 1 (ties away from zero)

and the line's step is at the same place when m' * (2**SCALE_BITS * T + offset) >= k * 2**(32 + FRACTION_BITS) and the
same for T - 1 is smaller. For a given m' that is an interval of offsets for each step; all of them must meet. Steps
above the zero point are evenly spaced, and so are those below, but the two combs are one to two accumulators apart: so
a line is found for nearly every channel whose clamp starts at its zero point, and hardly any other. What is found is
checked again, at both sides of every step, in the kernel's arithmetic against TFLM's.

Outside of int8 the line goes on where the clamp holds; a clamp narrower than int8 is to be applied after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from harness.kernels.constants import constant
from harness.quantization.fixedpoint import INT32_MAX, INT32_MIN, Ints, multiply_by_quantized_multiplier
from harness.quantization.types import Clamp, DType

SCALE_BITS = constant("requant_linear.h", "HIL_LINEAR_SCALE_BITS")
FRACTION_BITS = constant("requant_linear.h", "HIL_LINEAR_FRACTION_BITS")
_TRIALS = (range(1), range(1, 4), range(4, 16), range(16, 64))
"""Slopes that are tried, together: most channels take the first."""
_LOWEST, _HIGHEST = DType.INT8.range
_OUTPUTS = np.arange(_LOWEST + 1, _HIGHEST + 1, dtype=np.int64)
"""Every output that is a step up from another."""


@dataclass(frozen=True, eq=False)
class LinearRequant:
    """Constants of the two-instruction form, one per output channel.

    Attributes:
        multiplier: int32, 0 < m' < 2**31; 0 where there is none.
        offset: int64, to be added to 2**SCALE_BITS * bias, modulo 2**32.
        exact: bool; channels that the form computes exactly. The constants of others are 0.
    """

    multiplier: npt.NDArray[np.int32]
    offset: Ints
    exact: npt.NDArray[np.bool_]


def linear(
    multipliers: npt.ArrayLike, shifts: npt.ArrayLike, zero_point: int, clamp: Clamp, low: Ints, high: Ints
) -> LinearRequant:
    """Constants of the form for accumulators (bias included) in low..high, and the channels for which it is exact.

    Args:
        multipliers, shifts: per channel, as in fixedpoint.multiply_by_quantized_multiplier; both may be one value.
        zero_point, clamp: of the output.
        low, high: inclusive range of every channel's accumulator, int64, not wrapped.
    """
    low, high = np.atleast_1d(low).astype(np.int64), np.atleast_1d(high).astype(np.int64)
    m = np.broadcast_to(np.asarray(multipliers, np.int64), low.shape)
    n = -np.broadcast_to(np.asarray(shifts, np.int64), low.shape)
    return _linear(m.tobytes(), n.tobytes(), zero_point, clamp, low.tobytes(), high.tobytes())


@lru_cache(maxsize=8192)  # small; a layer's kernels ask for it in turn, and so does every part of a layer
def _linear(ms: bytes, ns: bytes, zero_point: int, clamp: Clamp, lows: bytes, highs: bytes) -> LinearRequant:
    m, n, low, high = (np.frombuffer(data, np.int64) for data in (ms, ns, lows, highs))
    result = LinearRequant(np.zeros(len(low), np.int32), np.zeros(len(low), np.int64), np.zeros(len(low), bool))
    inside = (low >= INT32_MIN) & (high <= INT32_MAX)
    first = _specified(low, m, n, zero_point, clamp)
    last = _specified(high, m, n, zero_point, clamp)
    # A channel of one accumulator is a constant, however large: the sum wraps to it.
    single = np.flatnonzero(inside & (low == high))
    result.multiplier[single] = 1 << 30
    result.offset[single] = (first[single] << (FRACTION_BITS + 2)) + (1 << FRACTION_BITS) - (low[single] << SCALE_BITS)
    result.exact[single] = True
    largest = np.maximum(np.abs(low), np.abs(high))
    open_ = np.flatnonzero(inside & (low != high) & (m > 0) & (n >= 0) & (largest < 1 << (31 - SCALE_BITS)))
    steps = _steps(m[open_], n[open_], zero_point, first[open_], last[open_])
    for trials in _TRIALS:
        if not open_.size:
            break
        slopes = np.stack([_slope(m[open_], n[open_], trial) for trial in trials])
        offsets, right = _offset(slopes, steps, low[open_], high[open_], first[open_], last[open_], clamp)
        sums = [(end[open_] << SCALE_BITS) + offsets for end in (low, high)]
        right &= (sums[0] >= INT32_MIN) & (sums[1] <= INT32_MAX)
        found = right.any(axis=0)
        if not found.any():
            continue
        # Of each channel the first slope that is right.
        slope, offset = (np.take_along_axis(a, right.argmax(axis=0)[None], axis=0)[0] for a in (slopes, offsets))
        won = open_[found]
        _check(slope[found], offset[found], steps[found], m[won], n[won], (low[won], high[won]), zero_point, clamp)
        result.multiplier[won], result.offset[won], result.exact[won] = slope[found], offset[found], True
        open_, steps = open_[~found], steps[~found]
    for array in (result.multiplier, result.offset, result.exact):
        array.setflags(write=False)
    return result


def apply(acc: npt.ArrayLike, constants: LinearRequant) -> Ints:
    """What the kernels compute, in plain numpy: acc (..., channels), bias included -> outputs. For tests."""
    return _line(np.asarray(acc, np.int64), constants.multiplier.astype(np.int64), constants.offset)


def _line(acc: Ints, slope: Ints, offset: Ints) -> Ints:
    scaled = ((acc << SCALE_BITS) + offset).astype(np.int32).astype(np.int64)
    outputs: Ints = np.clip(((scaled * slope) >> 32) >> FRACTION_BITS, _LOWEST, _HIGHEST)
    return outputs


def _specified(acc: Ints, m: Ints, n: Ints, zero_point: int, clamp: Clamp) -> Ints:
    return np.clip(multiply_by_quantized_multiplier(acc, m, -n) + zero_point, *clamp).astype(np.int64)


def _steps(m: Ints, n: Ints, zero_point: int, first: Ints, last: Ints) -> Ints:
    """int64 (channels, outputs): the smallest accumulator that gives each output, INT32_MIN where none within reach."""
    n = n[:, None]
    outputs = np.broadcast_to(_OUTPUTS, (len(m), len(_OUTPUTS)))
    reached = (outputs > first[:, None]) & (outputs <= last[:, None])
    # What can be reached fits int32 as a product, so nothing overflows.
    h = np.where(reached, _OUTPUTS - zero_point, 0)
    product = (h << n) - ((np.int64(1) << n) >> 1) + ((h < 1) & (n > 0))
    return np.where(reached, -((-((product << 31) - (1 << 30))) // m[:, None]), INT32_MIN)


def _slope(m: Ints, n: Ints, trial: int) -> Ints:
    """m' for a trial: the exact slope first, then ever further from it on both sides.

    A step moves the last output by a small part of an accumulator.
    """
    real = m / 2.0 ** (31 + n)
    exact = real * 2.0 ** (32 + FRACTION_BITS - SCALE_BITS)
    step = np.maximum(exact * real * 2.0**-19, 1.0)
    sign = 1 if trial % 2 else -1
    slope: Ints = np.clip(np.round(exact + sign * ((trial + 1) // 2) * step), 1, 2.0**31).astype(np.int64)
    return slope


def _offset(
    slope: Ints, steps: Ints, low: Ints, high: Ints, first: Ints, last: Ints, clamp: Clamp
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """(offset, whether it is right) for slopes (trials, channels)."""
    unused = steps == INT32_MIN
    at = _reach(_OUTPUTS, slope[..., None])
    lowest = np.where(unused, -(1 << 40), at - (steps << SCALE_BITS)).max(axis=-1)
    highest = np.where(unused, 1 << 40, at - 1 - ((steps - 1) << SCALE_BITS)).min(axis=-1)
    # Beyond both ends the line goes on, and only the clamp holds it.
    lowest = np.maximum(lowest, np.where(first > clamp[0], _reach(first, slope) - (low << SCALE_BITS), -(1 << 40)))
    highest = np.minimum(
        highest, np.where(last < clamp[1], _reach(last + 1, slope) - 1 - (high << SCALE_BITS), 1 << 40)
    )
    return (lowest + highest) >> 1, (lowest <= highest) & (slope < 1 << 31)


def _reach(output: Ints, slope: Ints) -> Ints:
    """The smallest scaled accumulator whose line is at `output` or above."""
    return -((-(output << (32 + FRACTION_BITS))) // slope)


def _check(
    slope: Ints, offset: Ints, steps: Ints, m: Ints, n: Ints, ends: tuple[Ints, Ints], zero_point: int, clamp: Clamp
) -> None:
    """Both sides of every step, and both ends."""
    for acc in (steps, steps - 1, ends[0][:, None], ends[1][:, None]):
        inside = np.clip(acc, ends[0][:, None], ends[1][:, None])
        wanted = _specified(inside, m[:, None], n[:, None], zero_point, clamp)
        line = np.clip(_line(inside, slope[:, None], offset[:, None]), *clamp)
        assert (line == wanted).all(), "the line misses a step"
