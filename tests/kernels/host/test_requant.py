"""The fast requantization against TFLM's two roundings, at every place where they could differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.kernels.requant import LARGEST, Requant, apply, requant
from harness.quantization.fixedpoint import Ints
from harness.quantization.staircase import sums_range
from tests.support.requantized import specified

MULTIPLIERS = (2**30, 2**30 + 1, 1518500250, 2**31 - 2, 2**31 - 1)
CLAMPS = ((-128, 127), (-20, 127), (-128, 5), (3, 90))
WHOLE = (np.array([1 - LARGEST]), np.array([LARGEST - 1]))


def corners(m: int, shift: int, low: int, high: int) -> Ints:
    """Accumulators around every value where an output between -300 and 300 changes, zero, and the ends."""
    outputs = np.arange(-300, 301)
    steps = np.floor((outputs - 0.5) * 2.0 ** (31 - shift) / m).astype(np.int64)
    near = (steps[:, None] + np.arange(-4, 5)).reshape(-1)
    all_of_them = np.concatenate([near, np.arange(-300, 301), [low, low + 1, high - 1, high]])
    return np.unique(all_of_them[(all_of_them >= low) & (all_of_them <= high)])


@pytest.mark.parametrize("shift", range(-31, 0))
@pytest.mark.parametrize("zero_point", [-128, 0, 3])
def test_equals_two_roundings_at_every_step(shift: int, zero_point: int) -> None:
    applied = 0
    for m in MULTIPLIERS:
        for bound in (1000, LARGEST - 1):
            for clamp in CLAMPS:
                low, high = np.array([-bound]), np.array([bound])
                constants = requant(m, shift, zero_point, clamp, low, high)
                if constants is None:
                    assert shift <= -22, "declined without need"
                    continue
                applied += 1
                acc = corners(m, shift, -bound, bound)
                np.testing.assert_array_equal(apply(acc, constants, clamp), specified(acc, m, shift, zero_point, clamp))
    assert applied


def test_equals_two_roundings_anywhere() -> None:
    applied = 0

    @given(
        st.integers(2**30, 2**31 - 1),
        st.integers(-31, -1),
        st.integers(-128, 127),
        st.lists(st.integers(1 - LARGEST, LARGEST - 1), min_size=1, max_size=20),
    )
    def check(m: int, shift: int, zero_point: int, acc: list[int]) -> None:
        nonlocal applied
        values = np.array(acc, np.int64)
        for clamp in ((-128, 127), (zero_point, 127)):
            constants = requant(m, shift, zero_point, clamp, *WHOLE)
            if constants is not None:
                np.testing.assert_array_equal(
                    apply(values, constants, clamp), specified(values, m, shift, zero_point, clamp)
                )
                applied += 1

    check()
    assert applied >= 50


@pytest.mark.parametrize("m", MULTIPLIERS)
def test_small_accumulators_exhaustively(m: int) -> None:
    acc = np.arange(-5000, 5001)
    for shift in range(-12, 0):
        for zero_point in (-128, -7, 127):
            for clamp in ((-128, 127), (zero_point, 127)):
                constants = requant(m, shift, zero_point, clamp, acc[:1], acc[-1:])
                assert constants is not None
                np.testing.assert_array_equal(apply(acc, constants, clamp), specified(acc, m, shift, zero_point, clamp))


def test_declines_what_it_does_not_cover() -> None:
    low, high = np.array([-1000]), np.array([1000])
    assert requant(2**30, 0, 0, (-128, 127), low, high) is None
    assert requant(2**30, 3, 0, (-128, 127), low, high) is None
    assert requant(2**30, -5, 0, (-128, 127), low, np.array([LARGEST])) is None
    assert requant(2**30, -5, 0, (-128, 127), np.array([-(2**31) - 1]), high) is None


def test_zero_multiplier_gives_the_zero_point() -> None:
    constants = requant(0, 0, 9, (-128, 127), np.array([-(2**31)]), np.array([2**31 - 1]))
    assert constants is not None
    np.testing.assert_array_equal(apply(np.array([-5, 0, 5, 2**29]), constants, (-128, 127)), [9] * 4)


def test_a_channel_with_one_output_becomes_constant() -> None:
    bias = np.array([2**30 + 5, -(2**30) - 5, 7, 100])
    weights = np.array([[0, 0], [127, -127], [0, 0], [1, 2]])
    low, high = sums_range(weights, bias)
    m, shifts = np.array([2**30, 2**30, 2**31 - 1, 2**30]), np.array([-20, -3, 2, -3])
    constants = requant(m, shifts, -3, (-128, 127), low, high)
    assert constants is not None
    assert constants.constant.tolist() == [True, True, True, False]
    for acc in (low, high, bias):
        np.testing.assert_array_equal(apply(acc, constants, (-128, 127)), specified(acc, m, shifts, -3, (-128, 127)))


@given(st.integers(0, 2**32 - 1))
def test_sums_range_is_reached_and_not_passed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (3, 5))
    bias = rng.integers(-1000, 1000, 3)
    low, high = sums_range(weights, bias)
    for channel, taps in enumerate(weights):
        worst, best = np.where(taps > 0, -128, 127), np.where(taps > 0, 127, -128)
        assert low[channel] == bias[channel] + taps @ worst
        assert high[channel] == bias[channel] + taps @ best
    x = rng.integers(-128, 128, (50, 5))
    acc = x @ weights.T + bias
    assert (acc >= low).all() and (acc <= high).all()


def test_ties_are_dropped_only_where_the_clamp_hides_them() -> None:
    with_ties = requant(2**30, -1, 0, (-128, 127), np.array([-100]), np.array([100]))
    without = requant(2**30, -1, 0, (0, 127), np.array([-100]), np.array([100]))
    assert isinstance(with_ties, Requant) and with_ties.ties
    assert isinstance(without, Requant) and not without.ties


@pytest.mark.parametrize("shift", (0, 1, 2, 5, 8, 12))
@pytest.mark.parametrize("zero_point", [-128, 0, 3])
def test_left_shifts_round_once(shift: int, zero_point: int) -> None:
    bound = (LARGEST >> shift) - 1
    low, high = np.array([-bound]), np.array([bound])
    for m in MULTIPLIERS:
        acc = corners(m, shift, -bound, bound)
        for clamp in CLAMPS:
            assert requant(m, shift, zero_point, clamp, low, high) is None, "without doublings"
            assert requant(m, shift, zero_point, clamp, low, 2 * high + 2, steep=True) is None, "lost on the left"
            constants = requant(m, shift, zero_point, clamp, low, high, steep=True)
            assert constants is not None and constants.left[0] == shift
            np.testing.assert_array_equal(apply(acc, constants, clamp), specified(acc, m, shift, zero_point, clamp))
