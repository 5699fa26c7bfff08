"""Floats that are no number, infinite, or near the ends: every core makes of them what the specification does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.emulator.test_compiled_ops import BOARDS
from tests.support.compiled import VECTORS, check_on_board
from tests.support.odd_floats import ODD, OPERATORS_OF_FLOATS, float_graphs
from tests.support.scale import scaled


@pytest.mark.parametrize("board", BOARDS)
def test_odd_floats_become_what_the_specification_says(board: str) -> None:
    number = BOARDS.index(board)
    names = OPERATORS_OF_FLOATS[scaled(number, 0) :: scaled(4 * len(BOARDS), 1)]
    with np.errstate(all="ignore"):
        graphs = [graph for name in names for graph in float_graphs(name, 33 + number, 1)]
        assert check_on_board(graphs, board, odd=ODD) == len(graphs) * VECTORS
