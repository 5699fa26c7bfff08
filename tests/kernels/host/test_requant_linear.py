"""The two-instruction requantization against TFLM's two roundings, at every step of a channel and anywhere between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.kernels.requant_linear import SCALE_BITS, apply, linear
from tests.support.requantized import specified

RELU = (-128, 127)


@pytest.mark.parametrize("shift", range(-9, -1))
def test_relu_channels_are_exact_for_every_accumulator(shift: int) -> None:
    rng = np.random.default_rng(shift + 100)
    m = np.append(rng.integers(2**30, 2**31, 10), [2**30, 2**31 - 1])
    bound = min(400 << -shift, 100_000)
    found = linear(m, shift, -128, RELU, np.full(12, -bound), np.full(12, bound))
    assert found.exact.mean() > 0.9
    acc = np.arange(-bound, bound + 1)
    for c in np.flatnonzero(found.exact):
        wanted = specified(acc, int(m[c]), shift, -128, RELU)
        one = type(found)(found.multiplier[c : c + 1], found.offset[c : c + 1], found.exact[c : c + 1])
        np.testing.assert_array_equal(apply(acc[:, None], one)[:, 0], wanted)


def test_what_is_called_exact_is() -> None:
    exact = 0

    @settings(deadline=None, max_examples=40)
    @given(
        st.integers(2**30, 2**31 - 1),
        st.integers(-20, 2),
        st.integers(-128, 127),
        st.integers(-(2**22), 2**22),
        st.integers(0, 2**22),
        st.integers(0, 2**32 - 1),
    )
    def check(m: int, shift: int, zero_point: int, low: int, length: int, seed: int) -> None:
        nonlocal exact
        high = low + length
        acc = np.append(np.random.default_rng(seed).integers(low, high + 1, 200), [low, high])
        for clamp in ((-128, 127), (zero_point, 127), (-128, zero_point), (3, 90)):
            found = linear(m, shift, zero_point, clamp, np.array([low]), np.array([high]))
            if found.exact[0]:
                wanted = specified(acc, m, shift, zero_point, clamp)
                np.testing.assert_array_equal(np.clip(apply(acc[:, None], found)[:, 0], *clamp), wanted)
                exact += 1

    check()
    assert exact >= 10


def test_declines_both_sides_of_the_zero_point_and_what_does_not_fit() -> None:
    wide = (np.array([-100_000]), np.array([100_000]))
    assert not linear(1518500250, -7, 0, RELU, *wide).exact[0]
    assert not linear(1518500250, 1, -128, RELU, *wide).exact[0]
    largest = 1 << (31 - SCALE_BITS)
    assert not linear(1518500250, -7, -128, RELU, np.array([0]), np.array([largest])).exact[0]
    assert not linear(0, 0, -128, RELU, *wide).exact[0]


def test_a_single_accumulator_is_a_constant() -> None:
    for value in (-(2**31), -5, 0, 2**31 - 1):
        for zero_point in (-128, 3, 127):
            found = linear(2**30, -3, zero_point, RELU, np.array([value]), np.array([value]))
            assert found.exact[0]
            assert apply(np.array([value]), found)[0] == specified(np.array([value]), 2**30, -3, zero_point, RELU)[0]
