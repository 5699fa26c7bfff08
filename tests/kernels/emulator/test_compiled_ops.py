"""Code built for Cortex-M equals the specification, on every emulated core."""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.merged import side_by_side
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

PARTS = 6
BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")


@pytest.mark.parametrize("board", BOARDS)
def test_random_graphs_equal_the_specification(board: str) -> None:
    count = scaled(30, 80)
    graphs = random_graphs(2000 + BOARDS.index(board), count)
    assert check_on_board(graphs, board) == count * VECTORS


@pytest.mark.parametrize("board", BOARDS)
def test_operators_of_every_type_equal_the_specification(board: str) -> None:
    """Each board has its share of the combinations, and together they have all."""
    number = BOARDS.index(board)
    graphs = typed_graphs(combinations()[number :: len(BOARDS)], seed=70 + number, each=1)
    assert check_on_board(graphs, board) == len(graphs) * VECTORS


@pytest.mark.parametrize("part", range(scaled(1, PARTS)))
@pytest.mark.parametrize("board", BOARDS)
def test_many_graphs_of_every_operator_and_type_equal_the_specification(board: str, part: int) -> None:
    """In a long run every board has 6 graphs of each combination, so that there are 30."""
    wanted = combinations()[part::PARTS][: scaled(5, len(combinations()))]
    graphs = typed_graphs(wanted, seed=700 + PARTS * BOARDS.index(board) + part, each=scaled(1, 6))
    graphs = side_by_side(graphs, 6)
    assert check_on_board(graphs, board) == len(graphs) * VECTORS
