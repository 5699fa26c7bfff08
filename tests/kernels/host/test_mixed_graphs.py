"""Generated code of networks of all operators and types equals the specification, under ASan and UBSan."""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board
from tests.support.mixed import mixed_graphs
from tests.support.scale import scaled

BATCH = scaled(12, 50)


@pytest.mark.parametrize("batch", range(scaled(1, 20)))
def test_mixed_graphs_equal_the_specification(batch: int) -> None:
    """With some floats that are no number, infinite, or near the ends; 1,000 networks in the long run."""
    graphs = mixed_graphs(5000 + batch, BATCH)
    assert check_on_board(graphs, "host", sanitize=True, odd=0.02 * (batch % 2)) == BATCH * VECTORS
