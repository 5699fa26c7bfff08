"""Shared values: no other choice errs less, and what says that nothing is there stays."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compression.sharing import few_values, nearest_of


def squared(values, weights, most, kept):
    """The least error of all ways to cut the values into clusters."""
    u = np.unique(values)
    if len(u) <= most:
        return 0.0
    found = np.inf
    for cuts in combinations(range(1, len(u)), most - 1):
        error = 0.0
        for first, last in zip((0, *cuts), (*cuts, len(u)), strict=True):
            inside = (values >= u[first]) & (values <= u[last - 1])
            part, mass = values[inside], weights[inside]
            error += float((mass * (part - (kept if kept in part else np.average(part, weights=mass))) ** 2).sum())
        found = min(found, error)
    return found


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_nothing_errs_less(seed, most, weighted):
    rng = np.random.default_rng(seed)
    values = rng.integers(-6, 7, 24).astype(float)
    weights = rng.uniform(0.5, 2, 24) if weighted else np.ones(24)
    table = few_values(values, most, weights, whole=False, kept=0.0)
    error = float((weights * (nearest_of(values, table) - values) ** 2).sum())
    assert len(table) <= most and (np.diff(table) > 0).all()
    assert error <= squared(values, weights, most, 0.0) + 1e-9


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(2, 256), st.sampled_from([0.0, 3.0, -128.0]), st.booleans())
def test_zero_stays_zero(seed, most, kept, whole):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 40, 3000)
    values = np.clip(np.round(values), -128, 127) if whole else values
    values[rng.random(3000) < 0.1] = kept
    made = nearest_of(values, table := few_values(values, most, whole=whole, kept=kept))
    assert len(np.unique(made)) <= most and kept in table and (made[values == kept] == kept).all()
    assert not whole or (table == np.round(table)).all()


def test_few_values_stay_as_they_are():
    values = np.array([3.0, -1.0, 3.0, 0.0])
    assert few_values(values, 3, whole=True, kept=0.0).tolist() == [-1.0, 0.0, 3.0]


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_many_floats_lose_as_little_as_theory_says(scale):
    values = np.random.default_rng(0).normal(0, scale, 20_000)
    made = nearest_of(values, few_values(values, 256, whole=False, kept=0.0))
    noise = np.square(made / scale - values / scale).mean()
    assert 10 * np.log10(1 / noise) > 43  # Max 1960: 256 levels of a Gaussian, 43.8 dB
