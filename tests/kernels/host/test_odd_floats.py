"""Floats that are no number, infinite, or near the ends: generated code makes of them what the specification does."""

from __future__ import annotations

from tests.support.compiled import VECTORS, check_on_board
from tests.support.merged import side_by_side
from tests.support.odd_floats import ODD, OPERATORS_OF_FLOATS, float_graphs
from tests.support.scale import scaled


def test_odd_floats_become_what_the_specification_says() -> None:
    graphs = [graph for name in OPERATORS_OF_FLOATS for graph in float_graphs(name, 32, scaled(2, 12))]
    together = side_by_side(graphs, 8)
    assert check_on_board(together, "host", sanitize=True, odd=ODD) == len(together) * VECTORS
