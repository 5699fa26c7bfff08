"""The exact fast requantization of the DSP and MVE kernels, and where it may be used.

TFLM rescales an accumulator with two roundings (quantization/fixedpoint.py): h = (acc * m + 2**30) >> 31, then
h / 2**n to nearest with ties away from zero; then it adds the zero point z and clamps. The kernels compute

    h' = SMMLAR(2 * acc, m, addend) = h + addend,   addend = 2**(n-1) + z * 2**n
    y  = clamp((h' + (acc >> 31)) >> n)

Why this is the same, for a right shift n >= 1, |acc| < 2**30 (so that 2 * acc fits) and sums within int32:

* SMMLAR adds 2**31 to the 64-bit product 2 * acc * m and keeps its high word: (2 * acc * m + 2**31) >> 32 is h.
* Rounding to nearest with ties away from zero is (h + 2**(n-1) - [h < 0]) >> n, and a multiple z * 2**n moves through
  the shift. [acc < 0] may stand for [h < 0]: m >= 0, so they differ only where acc < 0 and h = 0, and there
  (2**(n-1) - 1) >> n = 2**(n-1) >> n = 0.
* Without the term [h < 0], only negative h come out differently, by being rounded up to at most z. Where the clamp
  starts at z or above (a fused RELU), all of them become the clamp's lower end, so `ties` is False and the term is left
  out.

TFLM shifts the accumulator of a real multiplier of 1/2 and more left instead (n = 0), and rounds once. Where the kernel
can double accumulators any number of times (`steep`), y = clamp(SMMLAR(2**(left + 1) * acc, m, z)) is the same while
nothing is lost on the left: |acc| * 2**left < 2**30.

A channel whose accumulator can only give one output (dead weights with a huge bias) is turned into that constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import INT32_MAX, INT32_MIN, Ints, high_mul, multiply_by_quantized_multiplier
from harness.quantization.types import Clamp

Int32s = npt.NDArray[np.int32]

LARGEST = 1 << 30
"""Accumulators must be smaller than this in magnitude."""


@dataclass(frozen=True, eq=False)
class Requant:
    """Constants of the fast form, one per output channel.

    Attributes:
        multiplier: int32, 0 <= m < 2**31.
        addend: int32.
        shift: int32, 1 <= n <= 31; 0 of steep channels.
        left: int32; doublings of the accumulator besides the one that every form has; only where the shift is 0.
        ties: whether the term acc >> 31 is needed, where the shift is not 0.
        constant: bool; channels whose output is addend >> 1 whatever the accumulator (multiplier 0, shift 1).
    """

    multiplier: Int32s
    addend: Int32s
    shift: Int32s
    left: Int32s
    ties: bool
    constant: npt.NDArray[np.bool_]


def requant(
    multipliers: npt.ArrayLike,
    shifts: npt.ArrayLike,
    zero_point: int,
    clamp: Clamp,
    low: Ints,
    high: Ints,
    *,
    steep: bool = False,
) -> Requant | None:
    """Constants of the fast form for accumulators in low..high, or None when it is not exact for some channel.

    Args:
        multipliers, shifts: per channel, as in fixedpoint.multiply_by_quantized_multiplier; both may be one value.
        zero_point, clamp: of the output.
        low, high: inclusive range of every channel's accumulator, int64, not wrapped.
        steep: whether the kernel computes channels that shift left.
    """
    low, high = np.atleast_1d(low), np.atleast_1d(high)
    m = np.broadcast_to(np.asarray(multipliers, np.int64), low.shape).copy()
    n = -np.broadcast_to(np.asarray(shifts, np.int64), low.shape)
    if (low < INT32_MIN).any() or (high > INT32_MAX).any():
        return None
    ends = [np.clip(multiply_by_quantized_multiplier(end, m, -n) + zero_point, *clamp) for end in (low, high)]
    # A positive shift may wrap, and is not monotonic then.
    constant = (ends[0] == ends[1]) & ((n >= 0) | (low == high))
    largest = np.maximum(np.abs(low), np.abs(high))
    rounded = np.abs(high_mul(largest, m)) + 1
    # Nothing is left of what is shifted out whole; that keeps large shifts, and their addends, away.
    gone = ~constant & (n >= 1) & (n <= 31) & (rounded < (np.int64(1) << np.clip(n - 1, 0, 30)))
    m[gone | constant] = 0
    n = np.where(gone | constant, 1, n)
    if (n < (-30 if steep else 1)).any() or (n > 31).any():
        return None
    left, n = np.maximum(-n, 0), np.maximum(n, 0)
    addend = np.where(n > 0, (2 * zero_point + 1) << np.maximum(n - 1, 0), zero_point).astype(np.int64)
    addend[constant] = 2 * ends[0][constant] + 1
    fits = (largest << left < LARGEST) | (m == 0)
    if not fits.all() or (np.where(m == 0, 0, rounded << left) + np.abs(addend) >= INT32_MAX).any():
        return None
    return Requant(
        m.astype(np.int32),
        addend.astype(np.int32),
        n.astype(np.int32),
        left.astype(np.int32),
        clamp[0] < zero_point,
        constant,
    )


def apply(acc: npt.ArrayLike, constants: Requant, clamp: Clamp) -> Ints:
    """What the kernels compute, in plain numpy: acc (..., channels) -> outputs. For tests."""
    value = np.asarray(acc, np.int64)
    doubled = ((2 * value) << constants.left).astype(np.int32).astype(np.int64)
    high = ((doubled * constants.multiplier + (np.int64(1) << 31)) >> 32) + constants.addend
    if constants.ties:
        high = high + np.where(constants.shift > 0, value >> 63, 0)
    outputs: Ints = np.clip(high >> constants.shift, *clamp)
    return outputs
