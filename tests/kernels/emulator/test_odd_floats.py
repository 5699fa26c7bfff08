"""Floats that are no number, infinite, or near the ends: every core makes of them what the specification does."""

from __future__ import annotations

import pytest

from tests.kernels.emulator.test_compiled_ops import BOARDS
from tests.support.compiled import VECTORS, check_on_board
from tests.support.merged import side_by_side
from tests.support.odd_floats import ODD, OPERATORS_OF_FLOATS, float_graphs
from tests.support.scale import scaled


@pytest.mark.parametrize("board", BOARDS)
def test_odd_floats_become_what_the_specification_says(board: str) -> None:
    number = BOARDS.index(board)
    names = OPERATORS_OF_FLOATS[scaled(number, 0) :: scaled(len(BOARDS), 1)]
    graphs = [graph for name in names for graph in float_graphs(name, 33 + number, 2)]
    together = side_by_side(graphs, 8)
    assert check_on_board(together, board, odd=ODD) == len(together) * VECTORS
