"""Networks of all operators and types, built for Cortex-M, equal the specification on every emulated core."""

from __future__ import annotations

import pytest

from tests.kernels.emulator.test_compiled_ops import BOARDS
from tests.support.compiled import VECTORS, check_on_board
from tests.support.mixed import mixed_graphs
from tests.support.scale import scaled


@pytest.mark.parametrize("board", BOARDS)
def test_mixed_graphs_equal_the_specification(board: str) -> None:
    """200 networks in the long run."""
    count = scaled(2, 40)
    graphs = mixed_graphs(6000 + BOARDS.index(board), count)
    assert check_on_board(graphs, board, odd=0.02) == count * VECTORS
