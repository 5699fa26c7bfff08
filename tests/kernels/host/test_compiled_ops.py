"""Generated code equals the specification, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ir.operators import OPERATORS
from tests.support.boundaries import LAYERS, boundary_layer
from tests.support.builders import BUILDERS
from tests.support.compiled import VECTORS, check_on_board, random_graphs
from tests.support.merged import side_by_side
from tests.support.scale import scaled
from tests.support.typed import TAKEN_WHEN_READ, combination_graphs, combinations, typed_graphs

BATCH = 100


@pytest.mark.parametrize("batch", range(scaled(2, 22)))
def test_random_graphs_equal_the_specification(batch: int) -> None:
    assert check_on_board(random_graphs(1000 + batch, BATCH), "host", sanitize=True) == BATCH * VECTORS


def test_operators_of_every_type_equal_the_specification() -> None:
    """A share of all combinations of the type policies; the boards have all."""
    graphs = typed_graphs(combinations()[::4], seed=7, each=1)
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS


@pytest.mark.parametrize("part", range(scaled(1, len(combinations()))))
def test_many_graphs_of_one_operator_and_type_equal_the_specification(part: int) -> None:
    """200 of each combination in a long run."""
    graphs = side_by_side(combination_graphs(part, seed=107, each=scaled(5, 200)), 5)
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS


def test_no_combination_is_left_out() -> None:
    found = combinations()
    assert len(found) > 290 and len(set(found)) == len(found)
    with_builders = {name for name in OPERATORS if name in BUILDERS}
    assert {name for name, _ in found} == with_builders
    assert sum(len(OPERATORS[name].types) for name in with_builders) == len(found) + len(TAKEN_WHEN_READ)


def test_sums_beside_rounding_boundaries_equal_the_specification() -> None:
    layers = [(op, per_channel) for op in LAYERS for per_channel in (False, True)]
    graphs = [boundary_layer(np.random.default_rng([24, number]), *layer) for number, layer in enumerate(layers)]
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS
