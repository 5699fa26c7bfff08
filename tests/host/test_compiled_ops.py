"""Generated code equals the specification, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.scale import scaled

BATCH = 100


@pytest.mark.parametrize("batch", range(scaled(3, 22)))
def test_random_graphs_equal_the_specification(batch: int) -> None:
    assert check_on_board(random_graphs(1000 + batch, BATCH), "host", sanitize=True) == BATCH * VECTORS
