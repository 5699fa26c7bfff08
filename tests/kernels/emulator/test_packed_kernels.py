"""Kernels whose weights stay packed, over their whole domain, equal the specification of the unpacked weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.kernels.discovery import all_kernels
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Few, Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.overlapped import check as check_overlapped
from tests.support.overlapped import layers
from tests.support.scale import scaled

M3, M4, M7, M55 = "mps2-an385", "mps2-an386", "mps2-an500", "mps3-an547"
CONVOLUTIONS: list[tuple[str, str, Few, str]] = [
    ("ConvS8Int4Dsp", "conv_s8_int4_dsp", "int4", M4),
    ("ConvS8Int4Dsp", "conv_s8_int4_dsp", "int4", M7),
    ("ConvS8Lut16Dsp", "conv_s8_lut16_dsp", "shared", M4),
    ("ConvS8Lut16SmallDsp", "conv_s8_lut16_dsp", "shared by channel", M4),
    ("ConvS8Lut16DualIssue", "conv_s8_lut16_dual_issue", "shared by channel", M7),
    ("ConvS8Lut16SmallDualIssue", "conv_s8_lut16_dual_issue", "shared", M7),
    ("Conv1x1S8Int4Mve", "conv_1x1_s8_int4_mve", "narrow int4", M55),
    ("ConvS8Int4Mve", "conv_s8_int4_mve", "narrow int4", M55),
    ("ConvSmallStripS8Int4Mve", "conv_s8_int4_mve", "int4", M55),
    ("ConvS8Lut16Pairs", "conv_s8_lut16_pairs", "shared", M3),
    ("FullyConnectedS8Lut16Portable", "fully_connected_s8_lut16_portable", "shared", M3),
    ("Conv1x1S8Lut16Mve", "conv_1x1_s8_lut16_mve", "shared by channel", M55),
    ("Conv1x1S8Lut16Mve", "conv_1x1_s8_lut16_mve", "shared", M55),
    ("ConvS8Lut16Mve", "conv_s8_lut16_mve", "shared by channel", M55),
]
FULLY_CONNECTED: list[tuple[str, str, Few, str]] = [
    ("FullyConnectedS8Int4Dsp", "fully_connected_s8_int4_dsp", "int4", M4),
    ("FullyConnectedS8Lut16Dsp", "fully_connected_s8_lut16_dsp", "shared", M4),
    ("ConvS8Lut16Dsp", "conv_s8_lut16_dsp", "shared by channel", M4),
    ("FullyConnectedS8Int4Mve", "fully_connected_s8_int4_mve", "narrow int4", M55),
    ("FullyConnectedRowsS8Int4Mve", "conv_1x1_s8_int4_mve", "narrow int4", M55),
    ("FullyConnectedS8Lut16Mve", "fully_connected_s8_lut16_mve", "shared", M55),
    ("FullyConnectedS8Lut16Mve", "fully_connected_s8_lut16_mve", "shared by channel", M55),
]


def check(draw: Callable[[], Graph], count: int, kernel: str, function: str, board: str) -> None:
    """`count` graphs that are computed by `kernel`, and as many that it declines, at most, are exact."""
    core = load_boards()[board].core
    taken: list[Graph] = []
    declined: list[Graph] = []
    for _ in range(20 * count):
        graph = draw()
        plan = compile_graph(graph, core=core, prefer={kernel})
        (taken if plan.layers[0].kernel == function else declined).append(graph)
        if len(taken) == count:
            break
    assert len(taken) == count
    graphs = taken + declined[: count // 4]
    assert check_on_board(graphs, board, prefer={kernel}) == len(graphs) * VECTORS


def _convolution(rng: Rng, few: Few) -> Graph:
    image = (pick(rng, 1, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 1, 3, 4, 8, between(rng, 1, 40)))
    kernel = pick(rng, (1, 1), (1, 1), (3, 3), (2, 2), (between(rng, 1, 5), between(rng, 1, 5)))
    stride = pick(rng, (1, 1), (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    dilation = (1, 1) if chance(rng, 0.9) else (between(rng, 1, 3), between(rng, 1, 3))
    return conv_layer(rng, image, between(rng, 1, 22), kernel, stride, dilation, relu=chance(rng, 0.3), few=few)


@pytest.mark.parametrize(("kernel", "function", "few", "board"), CONVOLUTIONS)
def test_convolutions(kernel: str, function: str, few: Few, board: str) -> None:
    rng = np.random.default_rng(1)
    check(lambda: _convolution(rng, few), scaled(8, 300), kernel, function, board)


@pytest.mark.parametrize(("kernel", "function", "few", "board"), FULLY_CONNECTED)
def test_fully_connected(kernel: str, function: str, few: Few, board: str) -> None:
    rng = np.random.default_rng(2)

    def draw() -> Graph:
        sizes = between(rng, 1, 3), between(rng, 1, 200), between(rng, 1, 20)
        return fully_connected_layer(rng, *sizes, relu=chance(rng, 0.3), few=few)

    check(draw, scaled(8, 300), kernel, function, board)


@pytest.mark.parametrize("board", [M4, M55])
def test_what_lies_behind_the_activations_counts_for_nothing(board: str) -> None:
    """Kernels read past the last activation; what is there meets no weight. Here it is the output, or other values."""
    names = {name for name, *_ in (*CONVOLUTIONS, *FULLY_CONNECTED)}
    kernels = tuple(kernel for kernel in all_kernels() if type(kernel).__name__ in names)
    found = list(layers(Target(load_boards()[board].core), 3, scaled(4, 40), kernels))
    cases = [
        (layer, distance // 4 * 4)
        for layer in found
        for distance in layer.nearest
        if layer.overlap.allows(distance // 4 * 4)
    ]
    assert len(cases) >= 6
    right = check_overlapped(board, cases)
    assert not [(layer.kernel, layer.overlap, d) for (layer, d), ok in zip(cases, right, strict=True) if not ok]
