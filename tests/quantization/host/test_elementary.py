"""Functions of float32: how far they lie from those rounded correctly, and what they are at the ends."""

from __future__ import annotations

import numpy as np
import pytest

from harness.quantization import elementary
from tests.support.scale import scaled

COUNT = scaled(50_000, 2_000_000)


def ulps(ours: np.ndarray, exact: np.ndarray) -> int:
    """Largest distance in units in the last place."""
    a, b = (x.astype(np.float32).view(np.int32).astype(np.int64) for x in (ours, exact))
    return int(np.abs(np.where(a < 0, -(a & 0x7FFFFFFF), a) - np.where(b < 0, -(b & 0x7FFFFFFF), b)).max())


@pytest.mark.parametrize(
    ("name", "exact", "draw", "most"),
    [
        ("exp", np.exp, lambda rng: rng.uniform(-87, 88, COUNT), 1),
        ("exp", np.exp, lambda rng: rng.normal(0, 4, COUNT), 1),
        ("log", np.log, lambda rng: np.exp(rng.uniform(-80, 80, COUNT)), 1),
        ("log", np.log, lambda rng: rng.uniform(0.5, 2, COUNT), 1),
        ("expm1", np.expm1, lambda rng: rng.uniform(-20, 2, COUNT), 3),
        ("tanh", np.tanh, lambda rng: rng.normal(0, 2, COUNT), 1),
        ("sin", np.sin, lambda rng: rng.normal(0, 10, COUNT), 2),
        ("cos", np.cos, lambda rng: rng.normal(0, 10, COUNT), 2),
        ("sin", np.sin, lambda rng: rng.normal(0, 1, COUNT) * 2.0 ** rng.integers(-20, 127, COUNT), 2),
        ("cos", np.cos, lambda rng: rng.normal(0, 1, COUNT) * 2.0 ** rng.integers(-20, 127, COUNT), 2),
        ("sin", np.sin, lambda rng: rng.integers(1, 2**24, COUNT) * (np.pi / 2), 2),
    ],
)
def test_distance_from_what_is_rounded_correctly(name, exact, draw, most):
    x = draw(np.random.default_rng(7)).astype(np.float32)
    made = getattr(elementary, name)(x)
    assert made.dtype == np.float32
    assert ulps(made, exact(x.astype(np.float64))) <= most


def test_ends():
    big, nan = np.float32(np.inf), np.float32(np.nan)
    x = np.array([0, -0.0, 1000, -1000, big, -big, nan], np.float32)
    np.testing.assert_array_equal(elementary.exp(x), np.array([1, 1, big, 0, big, 0, nan], np.float32))
    np.testing.assert_array_equal(elementary.log(x[[0, 1, 3, 4, 6]]), np.array([-big, -big, nan, big, nan], np.float32))
    np.testing.assert_array_equal(elementary.tanh(x[2:6]), np.array([1, -1, 1, -1], np.float32))
    np.testing.assert_array_equal(elementary.logistic(x[2:6]), np.array([1, 0, 1, 0], np.float32))
    assert np.isnan(elementary.sin(np.array([big, -big, nan], np.float32))).all()
