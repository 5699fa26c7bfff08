"""Code built for Cortex-M equals the specification, on every emulated core."""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")


@pytest.mark.parametrize("board", BOARDS)
def test_random_graphs_equal_the_specification(board: str) -> None:
    count = scaled(30, 80)
    graphs = random_graphs(2000 + BOARDS.index(board), count)
    assert check_on_board(graphs, board) == count * VECTORS


@pytest.mark.parametrize("board", BOARDS)
def test_operators_of_every_type_equal_the_specification(board: str) -> None:
    """In CI each board has its share of the combinations, and together they have all; in a long run each has all."""
    number = BOARDS.index(board)
    graphs = typed_graphs(combinations()[scaled(number, 0) :: scaled(len(BOARDS), 1)], seed=70 + number, each=1)
    assert check_on_board(graphs, board) == len(graphs) * VECTORS
