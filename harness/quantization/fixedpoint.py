"""Fixed-point arithmetic as TensorFlow Lite Micro does it, vectorised over numpy arrays.

Formulas: gemmlowp's fixedpoint.h and TFLM's double-rounding MultiplyByQuantizedMultiplier. Values are int32 held in
int64 arrays; every result is a valid int32. Where C would overflow a signed int32 the result wraps modulo 2**32, which
is what TFLM does on the host.
"""

from __future__ import annotations

from math import floor, frexp
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
IntLike: TypeAlias = npt.ArrayLike

INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1


def wrap32(x: IntLike) -> Ints:
    """Value modulo 2**32, read as a signed int32."""
    return np.asarray(x, np.int64).astype(np.int32).astype(np.int64)


def round_half_away(x: float) -> int:
    """std::round: nearest integer, ties away from zero."""
    return -floor(0.5 - x) if x < 0 else floor(x + 0.5)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """(m, shift) with real ~= m * 2**(shift - 31) and m a Q31 in [2**30, 2**31); (0, 0) when real is 0 or under 2**-32.

    Source: TFLM QuantizeMultiplier.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = frexp(real)
    m = round_half_away(fraction * (1 << 31))
    if m == 1 << 31:
        m //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return m, shift


def high_mul(a: IntLike, b: IntLike) -> Ints:
    """SaturatingRoundingDoublingHighMul: (a * b + 2**30) >> 31 on int32, the one overflow saturated."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    rounded: Ints = np.minimum((product + (1 << 30)) >> 31, INT32_MAX)
    return rounded


def rounding_shift_right(x: IntLike, n: IntLike) -> Ints:
    """RoundingDivideByPOT: x / 2**n to nearest, ties away from zero, 0 <= n <= 31."""
    value, bits = np.asarray(x, np.int64), np.asarray(n, np.int64)
    mask = (np.int64(1) << bits) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> bits) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(x: IntLike, m: IntLike, shift: IntLike) -> Ints:
    """Product x * m * 2**(shift - 31) with TFLM's two roundings; m and shift broadcast against x.

    A positive shift is applied to x first (and may wrap), a negative one after the multiplication.
    """
    bits = np.asarray(shift, np.int64)
    left = wrap32(np.asarray(x, np.int64) << np.maximum(bits, 0))
    return rounding_shift_right(high_mul(left, m), np.maximum(-bits, 0))


def upper_bits(m: int) -> int:
    """The multiplier of 15 bits that TFLM takes for 64-bit sums, of one of 31."""
    return (m + (1 << 15)) >> 16 if m < 0x7FFF0000 else 0x7FFF


def multiply_wide(x: IntLike, m: IntLike, shift: IntLike) -> Ints:
    """Product x * m * 2**(shift - 31) of sums of up to 48 bits, by the upper 16 bits of m, rounded once, ties up.

    Source: TFLM MultiplyByQuantizedMultiplier(int64_t, ...).
    """
    reduced = np.vectorize(upper_bits, otypes=[np.int64])(np.asarray(m, np.int64))
    right: Ints = 15 - np.asarray(shift, np.int64)
    scaled: Ints = (np.asarray(x, np.int64) * reduced + (np.int64(1) << (right - 1))) >> right
    return scaled


def multiply_rounding_up(x: IntLike, m: IntLike, shift: IntLike) -> Ints:
    """As multiply_by_quantized_multiplier, but the right shift rounds ties up: LiteRT's optimised kernels on x86."""
    bits = np.asarray(shift, np.int64)
    product = high_mul(wrap32(np.asarray(x, np.int64) << np.maximum(bits, 0)), m)
    right: Ints = np.maximum(-bits, 0)
    half: Ints = np.left_shift(np.int64(1), right, dtype=np.int64) >> 1
    return (product + half) >> right


def saturating_shift_left(x: IntLike, n: int) -> Ints:
    """Product x * 2**n, saturated to int32 (gemmlowp SaturatingRoundingMultiplyByPOT with a positive exponent)."""
    shifted: Ints = np.clip(np.asarray(x, np.int64) << n, INT32_MIN, INT32_MAX)
    return shifted


# Factors exp(-2**k) in Q0.31 for k = -2 .. 4 (gemmlowp's barrel shifter).
_EXP_FACTORS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
_EXP_MINUS_EIGHTH = 1895147668
_ONE_THIRD = 715827883


def exp_on_negative_values(a: IntLike, integer_bits: int) -> Ints:
    """exp(a) in Q0.31 for a <= 0 given with `integer_bits` (at most 5) integer bits in an int32.

    Source: gemmlowp exp_on_negative_values: a Taylor series on [-1/4, 0) times tabulated powers.
    """
    value = np.asarray(a, np.int64)
    fractional = 31 - integer_bits
    quarter = 1 << (fractional - 2)
    remainder_of_quarter = (value & (quarter - 1)) - quarter
    x = saturating_shift_left(remainder_of_quarter, integer_bits) + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4_over_4 = rounding_shift_right(high_mul(x2, x2), 2)
    series = rounding_shift_right(high_mul(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    result = _EXP_MINUS_EIGHTH + high_mul(x + series, _EXP_MINUS_EIGHTH)
    remainder = remainder_of_quarter - value
    for k, factor in zip(range(-2, 5), _EXP_FACTORS, strict=True):
        if integer_bits > k:
            bit = (remainder >> (fractional + k)) & 1
            result = np.where(bit == 1, high_mul(result, factor), result)
    return np.where(value == 0, INT32_MAX, result)


def one_over_one_plus_x(a: IntLike) -> Ints:
    """1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31.

    Source: gemmlowp one_over_one_plus_x_for_x_in_0_1: three Newton-Raphson steps in Q2.29.
    """
    half_denominator = (np.asarray(a, np.int64) + INT32_MAX + 1) >> 1
    x = 1515870810 + high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_mul(half_denominator, x)
        x = x + saturating_shift_left(high_mul(x, error), 2)
    return saturating_shift_left(x, 1)


def logistic(a: IntLike, integer_bits: int) -> Ints:
    """1 / (1 + exp(-a)) in Q0.31 for a given with `integer_bits` integer bits. Source: gemmlowp logistic."""
    value = np.asarray(a, np.int64)
    positive = one_over_one_plus_x(exp_on_negative_values(-np.abs(value), integer_bits))
    return np.where(value == 0, 1 << 30, np.where(value > 0, positive, INT32_MAX - positive))


def reciprocal(x: IntLike, integer_bits: int) -> tuple[Ints, Ints]:
    """(scale, bits): 1 / x = scale (Q0.31) * 2**-bits, for x > 0 given with `integer_bits` integer bits.

    Source: TFLM GetReciprocal.
    """
    value = np.asarray(x, np.int64)
    headroom = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    return one_over_one_plus_x((value << headroom) - (1 << 31)), integer_bits - headroom
