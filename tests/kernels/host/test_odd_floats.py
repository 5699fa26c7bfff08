"""Floats that are no number, infinite, or near the ends: generated code makes of them what the specification does."""

from __future__ import annotations

import numpy as np

from tests.support.compiled import VECTORS, check_on_board
from tests.support.odd_floats import ODD, OPERATORS_OF_FLOATS, float_graphs
from tests.support.scale import scaled


def test_odd_floats_become_what_the_specification_says() -> None:
    with np.errstate(all="ignore"):
        names = OPERATORS_OF_FLOATS[:: scaled(4, 1)]
        graphs = [graph for name in names for graph in float_graphs(name, 32, scaled(1, 6))]
        assert check_on_board(graphs, "host", sanitize=True, odd=ODD) == len(graphs) * VECTORS
