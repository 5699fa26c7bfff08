"""Weights that take few bits: of four bits, or of few distinct values."""

from __future__ import annotations

import numpy as np

from harness.quantization.types import Array
from tests.support.draft import Few, Rng, chance, pick


def few_values(rng: Rng, data: Array, axis: int, few: Few) -> Array:
    """int8 weights with their values brought to few ones: often the outermost of the range, and all that fit."""
    if few in ("int4", "narrow int4"):
        low = -8 if few == "int4" else -7
        ends = chance(rng, 0.15)
        drawn = rng.choice([low, 7], data.shape) if ends else np.round(data / 16)
        return np.where(data == 0, 0, np.clip(drawn, low, 7)).astype(np.int8)
    if few == "shared":
        return _nearest(data, _table(rng))
    moved = np.moveaxis(data, axis, 0)
    return np.moveaxis(np.stack([_nearest(part, _table(rng)) for part in moved]), 0, axis)


def _table(rng: Rng) -> Array:
    count = pick(rng, 16, 16, 16, int(rng.integers(1, 17)))
    values = rng.choice(np.arange(-128, 128), count, replace=False)
    if chance(rng, 0.2):
        values[: min(2, count)] = [-128, 127][:count]
    return np.unique(values).astype(np.int8)


def _nearest(data: Array, table: Array) -> Array:
    distance = np.abs(data.astype(int)[..., None] - table.astype(int))
    return table[distance.argmin(axis=-1)]
