"""The fixed-point primitives against exact integer and real arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import exp

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.quantization import fixedpoint as fp

INT32 = st.integers(-(2**31), 2**31 - 1)
MULTIPLIERS = st.integers(2**30, 2**31 - 1)


def nearest_away(value: Fraction) -> int:
    rounded = int(abs(value) + Fraction(1, 2))
    return rounded if value >= 0 else -rounded


@given(INT32, INT32)
@example(-(2**31), -(2**31))
@example(-(2**31), 2**31 - 1)
@example(1, 2**30)
@example(-1, 2**30)
def test_high_mul_rounds_halves_up_and_saturates(a: int, b: int) -> None:
    exact = Fraction(a * b, 2**31)
    expected = min(int((exact + Fraction(1, 2)) // 1), 2**31 - 1)
    assert fp.high_mul(a, b) == expected


@given(INT32, st.integers(0, 31))
@example(-3, 1)
@example(3, 1)
@example(-(2**31), 31)
def test_rounding_shift_rounds_halves_away_from_zero(x: int, n: int) -> None:
    assert fp.rounding_shift_right(x, n) == nearest_away(Fraction(x, 2**n))


@given(st.floats(2.0**-31, 2.0**29))
@example(1.0)
@example(float(np.nextafter(1.0, 0.0)))
@example(0.5)
def test_quantized_multiplier_is_the_nearest_q31(real: float) -> None:
    m, shift = fp.quantize_multiplier(real)
    assert 2**30 <= m < 2**31
    assert abs(Fraction(m) * Fraction(2) ** (shift - 31) - Fraction(real)) <= Fraction(2) ** (shift - 32)


def test_tiny_multipliers_flush_to_zero() -> None:
    assert fp.quantize_multiplier(0.0) == (0, 0)
    assert fp.quantize_multiplier(2.0**-33) == (0, 0)
    assert fp.quantize_multiplier(2.0**-32)[0] == 2**30


@given(INT32, MULTIPLIERS, st.integers(-31, 0))
def test_double_rounding_is_two_roundings(x: int, m: int, shift: int) -> None:
    once = int((Fraction(x * m, 2**31) + Fraction(1, 2)) // 1)
    assert fp.multiply_by_quantized_multiplier(x, m, shift) == nearest_away(Fraction(once, 2**-shift))


def test_the_roundings_differ_only_in_ties_and_near_them() -> None:
    # -2 * 0.75 / 2: first -1.5 -> -1 (up), then -0.5 -> -1 away from zero, 0 up.
    m = 3 << 29
    assert fp.multiply_by_quantized_multiplier(-2, m, -1) == -1
    assert fp.multiply_rounding_up(-2, m, -1) == 0


def test_left_shift_wraps_like_int32() -> None:
    assert fp.multiply_by_quantized_multiplier(2**30 + 1, 2**30, 2) == 2


def test_scale_and_shift_broadcast_over_channels() -> None:
    x = np.array([[1000, 1000], [-1000, -1000]])
    m, shift = zip(*(fp.quantize_multiplier(r) for r in (0.5, 2.0)), strict=True)
    assert fp.multiply_by_quantized_multiplier(x, m, shift).tolist() == [[500, 2000], [-500, -2000]]


@pytest.mark.parametrize("bits", [4, 5])
def test_exp_is_close_to_the_real_one(bits: int) -> None:
    a = -np.arange(0, 1 << 31, 1 << 20, dtype=np.int64)
    real = np.exp(a / 2.0 ** (31 - bits))
    assert np.abs(fp.exp_on_negative_values(a, bits) / 2.0**31 - real).max() < 3e-7


def test_logistic_is_close_to_the_real_one_and_symmetric() -> None:
    a = np.arange(-(1 << 31) + 1, 1 << 31, 1 << 21, dtype=np.int64)
    values = fp.logistic(a, 4)
    real = np.array([1 / (1 + exp(-x / 2**27)) for x in a.tolist()])
    assert np.abs(values / 2.0**31 - real).max() < 1e-6
    assert fp.logistic(0, 4) == 1 << 30
    assert (fp.logistic(a[1:], 4) + fp.logistic(-a[1:], 4) == fp.INT32_MAX)[a[1:] != 0].all()


@given(st.integers(1 << 19, (1 << 31) - 1))
def test_reciprocal_is_close_to_the_real_one(x: int) -> None:
    scale, bits = fp.reciprocal(x, 12)
    assert int(scale) / 2**31 * 2.0 ** -int(bits) == pytest.approx(2**19 / x, rel=2e-8)
