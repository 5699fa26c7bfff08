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

ONNX Runtime's rounding is such a staircase, too (`linear_onnx`), whose steps are found by bisection. Its products are
rounded to float32, by which steps of sums beyond some ten thousands are an accumulator or two beside the line: of
layers with short sums most channels have one, of others few.

Outside of int8 the line goes on where the clamp holds; a clamp narrower than int8 is to be applied after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from harness.kernels.constants import constant
from harness.quantization.fixedpoint import INT32_MAX, INT32_MIN, Ints, multiply_by_quantized_multiplier
from harness.quantization.onnx_rounding import Floats, onnx_scaled
from harness.quantization.staircase import NO_STEP, steps_of
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


def linear_onnx(factors: Floats, zero_point: int, clamp: Clamp, low: Ints, high: Ints) -> LinearRequant:
    """The same where sums are rounded as ONNX Runtime does: times `factors`, float32 per channel."""
    low, high = np.atleast_1d(low).astype(np.int64), np.atleast_1d(high).astype(np.int64)
    return _linear_onnx(factors.tobytes(), zero_point, clamp, low.tobytes(), high.tobytes())


@lru_cache(maxsize=8192)  # small; a layer's kernels ask for it in turn, and so does every part of a layer
def _linear(ms: bytes, ns: bytes, zero_point: int, clamp: Clamp, lows: bytes, highs: bytes) -> LinearRequant:
    m, n, low, high = (np.frombuffer(data, np.int64) for data in (ms, ns, lows, highs))
    return _through(_TflmStairs(m, n, zero_point, clamp), low, high)


@lru_cache(maxsize=1024)
def _linear_onnx(factors: bytes, zero_point: int, clamp: Clamp, lows: bytes, highs: bytes) -> LinearRequant:
    low, high = (np.frombuffer(data, np.int64) for data in (lows, highs))
    return _through(_OnnxStairs(np.frombuffer(factors, np.float32), zero_point, clamp), low, high)


class _Stairs(Protocol):
    """The outputs of channels over their sums."""

    @property
    def clamp(self) -> Clamp:
        """Of the outputs."""

    @property
    def real(self) -> npt.NDArray[np.float64]:
        """Per channel, the slope."""

    @property
    def fit(self) -> npt.NDArray[np.bool_]:
        """Per channel, whether outputs rise with the sums and no sum wraps."""

    def of(self, channels: Ints) -> _Stairs:
        """Of some channels."""

    def outputs(self, acc: Ints) -> Ints:
        """Of sums (channels, any number)."""

    def steps(self, low: Ints, high: Ints) -> Ints:
        """int64 (channels, outputs): the smallest sum in low..high of each output, NO_STEP where there is none."""


@dataclass(frozen=True, eq=False)
class _TflmStairs:
    m: Ints
    n: Ints
    zero_point: int
    clamp: Clamp

    @property
    def real(self) -> npt.NDArray[np.float64]:
        slopes: npt.NDArray[np.float64] = self.m / 2.0 ** (31 + self.n)
        return slopes

    @property
    def fit(self) -> npt.NDArray[np.bool_]:
        return (self.m > 0) & (self.n >= 0)

    def of(self, channels: Ints) -> _TflmStairs:
        return replace(self, m=self.m[channels], n=self.n[channels])

    def outputs(self, acc: Ints) -> Ints:
        scaled = multiply_by_quantized_multiplier(acc, self.m[:, None], -self.n[:, None])
        return np.clip(scaled + self.zero_point, *self.clamp).astype(np.int64)

    def steps(self, low: Ints, high: Ints) -> Ints:
        n, (first, last) = self.n[:, None], (self.outputs(end[:, None]) for end in (low, high))
        reached = (first < _OUTPUTS) & (last >= _OUTPUTS)
        # What can be reached fits int32 as a product, so nothing overflows.
        h = np.where(reached, _OUTPUTS - self.zero_point, 0)
        product = (h << n) - ((np.int64(1) << n) >> 1) + ((h < 1) & (n > 0))
        return np.where(reached, -((-((product << 31) - (1 << 30))) // self.m[:, None]), NO_STEP)


@dataclass(frozen=True, eq=False)
class _OnnxStairs:
    factors: Floats
    zero_point: int
    clamp: Clamp

    @property
    def real(self) -> npt.NDArray[np.float64]:
        return self.factors.astype(np.float64)

    @property
    def fit(self) -> npt.NDArray[np.bool_]:
        return self.factors > 0

    def of(self, channels: Ints) -> _OnnxStairs:
        return replace(self, factors=self.factors[channels])

    def outputs(self, acc: Ints) -> Ints:
        return np.clip(onnx_scaled(acc, self.factors[:, None]) + self.zero_point, *self.clamp).astype(np.int64)

    def steps(self, low: Ints, high: Ints) -> Ints:
        return steps_of(self.outputs, low, high, _OUTPUTS)


def _through(stairs: _Stairs, low: Ints, high: Ints) -> LinearRequant:
    """The lines through channels' stairs, for sums in low..high."""
    result = LinearRequant(np.zeros(len(low), np.int32), np.zeros(len(low), np.int64), np.zeros(len(low), bool))
    inside = (low >= INT32_MIN) & (high <= INT32_MAX)
    first, last = (stairs.outputs(end[:, None])[:, 0] for end in (low, high))
    # A channel of one accumulator is a constant, however large: the sum wraps to it.
    single = np.flatnonzero(inside & (low == high))
    result.multiplier[single] = 1 << 30
    result.offset[single] = (first[single] << (FRACTION_BITS + 2)) + (1 << FRACTION_BITS) - (low[single] << SCALE_BITS)
    result.exact[single] = True
    largest = np.maximum(np.abs(low), np.abs(high))
    open_ = np.flatnonzero(inside & (low != high) & stairs.fit & (largest < 1 << (31 - SCALE_BITS)))
    steps = stairs.of(open_).steps(low[open_], high[open_])
    for trials in _TRIALS:
        if not open_.size:
            break
        slopes = np.stack([_slope(stairs.real[open_], trial) for trial in trials])
        offsets, right = _offset(slopes, steps, low[open_], high[open_], first[open_], last[open_], stairs.clamp)
        sums = [(end[open_] << SCALE_BITS) + offsets for end in (low, high)]
        right &= (sums[0] >= INT32_MIN) & (sums[1] <= INT32_MAX)
        found = right.any(axis=0)
        if not found.any():
            continue
        # Of each channel the first slope that is right.
        slope, offset = (np.take_along_axis(a, right.argmax(axis=0)[None], axis=0)[0] for a in (slopes, offsets))
        won = open_[found]
        _check(slope[found], offset[found], steps[found], stairs.of(won), (low[won], high[won]))
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


def _slope(real: npt.NDArray[np.float64], trial: int) -> Ints:
    """m' for a trial: the exact slope first, then ever further from it on both sides.

    A step moves the last output by a small part of an accumulator.
    """
    exact = real * 2.0 ** (32 + FRACTION_BITS - SCALE_BITS)
    step = np.maximum(exact * real * 2.0**-19, 1.0)
    sign = 1 if trial % 2 else -1
    slope: Ints = np.clip(np.round(exact + sign * ((trial + 1) // 2) * step), 1, 2.0**31).astype(np.int64)
    return slope


def _offset(
    slope: Ints, steps: Ints, low: Ints, high: Ints, first: Ints, last: Ints, clamp: Clamp
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """(offset, whether it is right) for slopes (trials, channels)."""
    unused = steps == NO_STEP
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


def _check(slope: Ints, offset: Ints, steps: Ints, stairs: _Stairs, ends: tuple[Ints, Ints]) -> None:
    """Both sides of every step, and both ends."""
    for acc in (steps, steps - 1, ends[0][:, None], ends[1][:, None]):
        inside = np.clip(acc, ends[0][:, None], ends[1][:, None])
        line = np.clip(_line(inside, slope[:, None], offset[:, None]), *stairs.clamp)
        assert (line == stairs.outputs(inside)).all(), "the line misses a step"
