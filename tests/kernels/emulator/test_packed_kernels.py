"""Kernels whose weights stay packed, over their whole domain, equal the specification of the unpacked weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Few, Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.scale import scaled

M4, M7 = "mps2-an386", "mps2-an500"
CONVOLUTIONS: list[tuple[str, str, Few, str]] = [
    ("ConvS8Int4Dsp", "conv_s8_int4_dsp", "int4", M4),
    ("ConvS8Int4Dsp", "conv_s8_int4_dsp", "int4", M7),
    ("ConvS8Lut16Dsp", "conv_s8_lut16_dsp", "shared", M4),
    ("ConvS8Lut16SmallDsp", "conv_s8_lut16_dsp", "shared by channel", M4),
    ("ConvS8Lut16DualIssue", "conv_s8_lut16_dual_issue", "shared by channel", M7),
    ("ConvS8Lut16SmallDualIssue", "conv_s8_lut16_dual_issue", "shared", M7),
]
FULLY_CONNECTED: list[tuple[str, str, Few, str]] = [
    ("FullyConnectedS8Int4Dsp", "fully_connected_s8_int4_dsp", "int4", M4),
    ("FullyConnectedS8Lut16Dsp", "fully_connected_s8_lut16_dsp", "shared", M4),
    ("ConvS8Lut16Dsp", "conv_s8_lut16_dsp", "shared by channel", M4),
]


def check(graphs: Sequence[Graph], kernel: str, function: str, board: str) -> None:
    """All graphs are exact, and enough of them are computed by `kernel`; it must decline the others."""
    core = load_boards()[board].core
    names = [compile_graph(graph, core=core, prefer={kernel}).layers[0].kernel for graph in graphs]
    assert names.count(function) >= len(graphs) / 3
    assert check_on_board(list(graphs), board, prefer={kernel}) == len(graphs) * VECTORS


def _convolution(rng: Rng, few: Few) -> Graph:
    image = (pick(rng, 1, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 1, 3, 4, 8, between(rng, 1, 40)))
    kernel = pick(rng, (1, 1), (1, 1), (3, 3), (2, 2), (between(rng, 1, 5), between(rng, 1, 5)))
    stride = pick(rng, (1, 1), (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    dilation = (1, 1) if chance(rng, 0.9) else (between(rng, 1, 3), between(rng, 1, 3))
    return conv_layer(rng, image, between(rng, 1, 22), kernel, stride, dilation, relu=chance(rng, 0.3), few=few)


@pytest.mark.parametrize(("kernel", "function", "few", "board"), CONVOLUTIONS)
def test_convolutions(kernel: str, function: str, few: Few, board: str) -> None:
    rng = np.random.default_rng(1)
    check([_convolution(rng, few) for _ in range(scaled(24, 400))], kernel, function, board)


@pytest.mark.parametrize(("kernel", "function", "few", "board"), FULLY_CONNECTED)
def test_fully_connected(kernel: str, function: str, few: Few, board: str) -> None:
    rng = np.random.default_rng(2)
    graphs = [
        fully_connected_layer(
            rng, between(rng, 1, 3), between(rng, 1, 200), between(rng, 1, 20), chance(rng, 0.3), few
        )
        for _ in range(scaled(20, 300))
    ]
    check(graphs, kernel, function, board)
