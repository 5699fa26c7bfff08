"""The form of MVE kernels that shifts by a product (requant_mve.h): TFLM's rounding wherever it is taken."""

from __future__ import annotations

import numpy as np
import pytest

from harness.kernels.mve import GENERAL, RELU, SIGNED, MveRequant, mve_requant
from harness.kernels.quantized_layer import QuantizedLayer
from harness.quantization.fixedpoint import Ints, rounding_shift_right

SATURATED = 11


def _by_factor(h: Ints, n: int, form: int) -> Ints:
    """VQRDMULH by the factor, which saturates for nothing that comes here."""
    none = np.zeros(1, np.int32)
    factor = int(MveRequant(form, none, none, np.array([-n], np.int8)).factors[0])
    found: Ints = (2 * h * factor + (1 << 31)) >> 32
    return found


@pytest.mark.parametrize("n", range(1, 32))
def test_one_more_in_the_factor_takes_ties_away_from_zero(n: int) -> None:
    rng = np.random.default_rng(n)
    end = 1 << (31 - n)
    ties = (2 * rng.integers(-end, end, 2000) + 1) << (n - 1)
    near = np.concatenate([ties + step for step in (-1, 0, 1)] + [rng.integers(-end, end, 2000), np.arange(-9, 10)])
    h = near[np.abs(near) < end].astype(np.int64)
    assert (_by_factor(h, n, SIGNED) == rounding_shift_right(h, n)).all()


@pytest.mark.parametrize("n", range(1, SATURATED + 1))
def test_larger_products_are_beyond_every_output(n: int) -> None:
    rng = np.random.default_rng(n)
    h = np.concatenate([rng.integers(1 << (31 - n), 1 << 31, 4000), [1 << (31 - n), (1 << 31) - 1]])
    for large in (h, -h):
        assert (np.sign(large) * _by_factor(large, n, SIGNED) > 384).all()
        assert (np.sign(large) * rounding_shift_right(large, n) > 384).all()


def test_the_form_is_taken_only_where_sums_allow_it() -> None:
    def form(shift: int, weight: int, taps: int) -> int:
        weights = np.full((1, taps), weight, np.int64)
        one, clamp = np.ones(1, np.int32), (-128, 127)
        return mve_requant(QuantizedLayer(weights, np.zeros(1, np.int64), one << 30, one * shift, 0, 0, clamp)).form

    assert [form(-SATURATED, 127, 5000), form(-SATURATED - 1, 127, 5000), form(-SATURATED - 1, 1, 50)] == [
        SIGNED,
        GENERAL,
        SIGNED,
    ]
    assert form(0, 1, 50) == GENERAL
    assert not MveRequant(RELU, *np.zeros((2, 1), np.int32), np.zeros(1, np.int8)).by_factors
