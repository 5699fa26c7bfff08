"""Every MVE kernel over its whole domain equals the specification, on the emulated Cortex-M55."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.compiler import compile_graph
from harness.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, pick
from tests.support.layers import conv_layer, tie_layer
from tests.support.scale import scaled

BOARD = "mps3-an547"


def check(graphs: Sequence[Graph], kernel: str, function: str) -> None:
    """All graphs are computed by `kernel`, whose C function is `function`, and exactly."""
    for graph in graphs:
        layers = compile_graph(graph, core="cortex-m55", prefer={kernel}).layers
        assert function in [layer.kernel for layer in layers], graph.nodes
    assert check_on_board(list(graphs), BOARD, prefer={kernel}) == len(graphs) * VECTORS


def _depth(rng: Rng) -> int:
    return pick(rng, 1, 8, 16, 16 * between(rng, 1, 6) + between(rng, 0, 8))


def test_conv_1x1() -> None:
    rng = np.random.default_rng(1)
    graphs = []
    for _ in range(scaled(60, 400)):
        image = (pick(rng, 1, 1, 2), between(rng, 1, 5), between(rng, 1, 5), _depth(rng))
        graphs.append(conv_layer(rng, image, between(rng, 4, 19)))
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")


def test_ties_of_requantization() -> None:
    rng = np.random.default_rng(2)
    zeros = (-128, -7, 0, 127) * scaled(1, 8)
    graphs = [tie_layer(rng, 120, zero_point, wild) for zero_point in zeros for wild in (False, True)]
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")
