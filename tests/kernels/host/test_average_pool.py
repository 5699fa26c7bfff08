"""The division of average_pool_s8_dsp.c, over all sums and counts that it is used for."""

from __future__ import annotations

import numpy as np

from harness.kernels.pooling_dsp import MOST_COLUMNS


def test_reciprocals_round_half_away_from_zero() -> None:
    for count in range(1, MOST_COLUMNS + 1):
        sums = np.arange(-128 * count, 127 * count + 1, dtype=np.int64)
        halves = np.where(sums > 0, sums + count // 2, sums - count // 2)
        wanted = np.sign(halves) * (np.abs(halves) // count)
        doubled = 2 * sums + (sums >> 31)
        found = (2 * doubled + 2 * count + 1) * ((1 << 30) // count) >> 32
        np.testing.assert_array_equal(found, wanted)
