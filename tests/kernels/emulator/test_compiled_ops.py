"""Code built for Cortex-M equals the specification, on every emulated core."""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.scale import scaled

BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")


@pytest.mark.parametrize("board", BOARDS)
def test_random_graphs_equal_the_specification(board: str) -> None:
    count = scaled(30, 80)
    graphs = random_graphs(2000 + BOARDS.index(board), count)
    assert check_on_board(graphs, board) == count * VECTORS
