"""Generated code equals the specification, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.boundaries import LAYERS, boundary_layer
from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.scale import scaled

BATCH = 100


@pytest.mark.parametrize("batch", range(scaled(3, 22)))
def test_random_graphs_equal_the_specification(batch: int) -> None:
    assert check_on_board(random_graphs(1000 + batch, BATCH), "host", sanitize=True) == BATCH * VECTORS


def test_sums_beside_rounding_boundaries_equal_the_specification() -> None:
    layers = [(op, per_channel) for op in LAYERS for per_channel in (False, True)]
    graphs = [boundary_layer(np.random.default_rng([24, number]), *layer) for number, layer in enumerate(layers)]
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS
