"""Layers with large multipliers, which TFLM shifts left, on emulated cores: exact, by the fast kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.errors import GraphError
from harness.ir.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.scale import scaled
from tests.support.steep import steepened

M4, M7, M33 = "mps2-an386", "mps2-an500", "mps2-an505"


def _drawn(rng: Rng, layer: Callable[[Rng], Graph], most: float) -> Graph:
    """A layer of which one to three channels are steep, half of them next to a power of two."""
    while True:
        exponents = rng.uniform(-2.5, most, between(rng, 1, 3))
        reals = [2.0 ** (round(e) if chance(rng, 0.3) else e) * pick(rng, 1, 1 - 2**-24) for e in exponents]
        graph = steepened(layer(rng), reals)
        try:
            compile_graph(graph, core="cortex-m3")
        except GraphError:
            continue  # the sums would wrap
        return graph


def _tiles(stride: int) -> Callable[[Rng], Graph]:
    def layer(rng: Rng) -> Graph:
        channels = between(rng, 2, 9)
        image = (1, between(rng, 1, 12), between(rng, 1, 12), channels)
        return conv_layer(rng, image, channels, (3, 3), (stride, stride), depthwise=True)

    return layer


def _quads(rng: Rng) -> Graph:
    channels, kernel = between(rng, 4, 14), (between(rng, 1, 5), between(rng, 1, 5))
    image = (pick(rng, 1, 2), between(rng, 1, 7), between(rng, 1, 7), channels)
    return conv_layer(rng, image, channels, kernel, (between(rng, 1, 2),) * 2, depthwise=True)


def _convolution(rng: Rng) -> Graph:
    image = (pick(rng, 1, 2), between(rng, 1, 6), between(rng, 1, 6), between(rng, 1, 12))
    kernel = (between(rng, 1, 4), between(rng, 1, 4))
    return conv_layer(rng, image, between(rng, 1, 11), kernel, (between(rng, 1, 2), between(rng, 1, 2)))


def _groups(rng: Rng) -> Graph:
    depth, groups = between(rng, 1, 4), between(rng, 2, 4)
    image = (1, between(rng, 2, 6), between(rng, 2, 6), depth * groups)
    return conv_layer(rng, image, between(rng, 2, 6) * groups, (between(rng, 1, 3), between(rng, 1, 3)), groups=groups)


def _dense(rng: Rng) -> Graph:
    return fully_connected_layer(rng, between(rng, 1, 3), between(rng, 1, 40), between(rng, 1, 14))


KERNELS = [
    (M4, "DepthwiseConv3x3S8Dsp", _tiles(1), 7.4),
    (M4, "DepthwiseConv3x3Stride2S8Dsp", _tiles(2), 7.4),
    (M7, "DepthwiseConv3x3S8DualIssue", _tiles(1), 7.4),
    (M7, "DepthwiseConv3x3Stride2S8DualIssue", _tiles(2), 7.4),
    (M4, "DepthwiseConvS8Dsp", _quads, 12),
    (M33, "DepthwiseConvS8Dsp", _quads, 12),
    (M4, "ConvS8GeneralDsp", _convolution, 12),
    (M7, "ConvS8GeneralDsp", _convolution, 12),
    (M4, "ConvGroupsS8GeneralDsp", _groups, 12),
    (M4, "FullyConnectedS8GeneralDsp", _dense, 12),
]


@pytest.mark.parametrize(("board", "kernel", "layer", "most"), KERNELS)
def test_steep_channels(board: str, kernel: str, layer: Callable[[Rng], Graph], most: float) -> None:
    rng = np.random.default_rng(len(kernel))
    graphs = [_drawn(rng, layer, most) for _ in range(scaled(6, 300))]
    core = load_boards()[board].core
    plans = [compile_graph(graph, core=core, prefer={kernel}) for graph in graphs]
    taken = [type(plan.steps[-1].kernel).__name__ for plan in plans].count(kernel)
    assert taken >= 0.5 * len(graphs), taken
    assert check_on_board(graphs, board, prefer={kernel}) == len(graphs) * VECTORS
