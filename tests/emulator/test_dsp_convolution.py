"""Convolutions and fully connected layers of the DSP extension over their whole domain equal the specification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.compiler import compile_graph
from harness.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer, tie_layer
from tests.support.scale import scaled

KERNELS = {
    "ConvS8CarryDsp": ("conv_s8_carry_dsp", "mps2-an386"),
    "FullyConnectedS8CarryDsp": ("fully_connected_s8_carry_dsp", "mps2-an386"),
}


def check(graphs: Sequence[Graph], kernel: str) -> None:
    """All graphs are exact, most of them computed by `kernel`; the others it must decline."""
    function, board = KERNELS[kernel]
    names = [compile_graph(graph, core="cortex-m4", prefer={kernel}).layers[0].kernel for graph in graphs]
    assert names.count(function) > len(graphs) / 2
    assert check_on_board(list(graphs), board, prefer={kernel}) == len(graphs) * VECTORS


def _convolution(rng: Rng) -> Graph:
    image = (pick(rng, 1, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 1, 3, 4, between(rng, 1, 20)))
    kernel = pick(rng, (1, 1), (3, 3), (2, 2), (between(rng, 1, 5), between(rng, 1, 5)))
    stride = pick(rng, (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    dilation = (1, 1) if chance(rng, 0.8) else (between(rng, 1, 3), between(rng, 1, 3))
    return conv_layer(rng, image, between(rng, 1, 18), kernel, stride, dilation)


def test_convolutions() -> None:
    rng = np.random.default_rng(1)
    check([_convolution(rng) for _ in range(scaled(60, 400))], "ConvS8CarryDsp")


def test_fully_connected() -> None:
    rng = np.random.default_rng(2)
    graphs = [
        fully_connected_layer(rng, between(rng, 1, 3), between(rng, 1, 90), between(rng, 1, 20))
        for _ in range(scaled(40, 300))
    ]
    check(graphs, "FullyConnectedS8CarryDsp")


@pytest.mark.parametrize("zero_point", [-128, -7, 0, 127])
def test_ties_of_requantization(zero_point: int) -> None:
    rng = np.random.default_rng(3)
    check([tie_layer(rng, 120, zero_point, False, 2**-15) for _ in range(scaled(1, 8))], "ConvS8CarryDsp")
