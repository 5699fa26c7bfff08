"""Tables of 16 values whose first is 0: indices that are padded with 0 stand for no weight."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.kernels.lut16 import lut16


@given(st.integers(1, 6), st.integers(1, 24), st.integers(1, 16), st.booleans(), st.integers(0, 2**32 - 1))
def test_the_first_value_is_zero_and_every_weight_stays(
    channels: int, taps: int, count: int, per_channel: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = channels if per_channel else 1
    values = np.stack([rng.choice(np.arange(-128, 128), count, replace=False) for _ in range(rows)])
    weights = values[np.arange(channels)[:, None] % rows, rng.integers(0, count, (channels, taps))]
    found = lut16(weights)
    assert found is not None
    first = found.zero_first()
    if first is None:
        assert any(not (table == 0).any() for table in found.tables)
        return
    assert not first.tables[:, 0].any()
    of_channel = np.arange(channels)[:, None] if first.table_step else np.zeros((channels, 1), int)
    np.testing.assert_array_equal(first.tables[of_channel, first.indices], weights)
