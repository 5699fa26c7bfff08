"""Kernels for the DSP extension of groups, of depthwise multipliers and of few outputs, over their whole domain."""

from __future__ import annotations

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from harness.ir.window import Pads
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer, pool_layer
from tests.support.scale import scaled

M4, M7, M33 = "mps2-an386", "mps2-an500", "mps2-an505"


def check(graphs: list[Graph], kernel: str, board: str, least: float) -> None:
    """Those that `kernel` computes, at least a share of them, are exact."""
    core = load_boards()[board].core

    def takes(graph: Graph) -> bool:
        steps = compile_graph(graph, core=core, prefer={kernel}).steps
        return any(type(step.kernel).__name__ == kernel for step in steps)

    taken = [graph for graph in graphs if takes(graph)]
    assert len(taken) >= least * len(graphs)
    assert check_on_board(taken, board, prefer={kernel}) == len(taken) * VECTORS


def _side(rng: Rng, kernel: int, stride: int, dilation: int) -> tuple[int, tuple[int, int]]:
    """Image size and padding (before, after) along one axis, with at least one window."""
    reach = (kernel - 1) * dilation + 1
    before, after = (between(rng, 0, reach - 1) if chance(rng, 0.6) else 0 for _ in range(2))
    return max(reach - before - after, 1) + between(rng, 0, 3 * stride), (before, after)


def _in_groups(rng: Rng) -> Graph:
    kernel = pick(rng, (3, 3), (1, 1), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = ((between(rng, 1, n), between(rng, 1, n)) for n in (3, 2))
    height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
    width, horizontal = _side(rng, kernel[1], stride[1], dilation[1])
    image, pads = (pick(rng, 1, 1, 2), height, width), Pads(*vertical, *horizontal)
    depthwise, relu, times = chance(rng, 0.5), chance(rng, 0.5), between(rng, 2, 9)
    groups = between(rng, 2, 9 if depthwise else 4)
    if depthwise:
        return conv_layer(
            rng, (*image, groups), groups * times, kernel, stride, dilation, pads, depthwise=True, relu=relu
        )
    depth = groups * between(rng, 1, 9)
    return conv_layer(rng, (*image, depth), groups * times, kernel, stride, dilation, pads, relu=relu, groups=groups)


@pytest.mark.parametrize(
    ("kernel", "board", "least"),
    [
        ("ConvGroupsS8LineDsp", M4, 0.1),
        ("ConvGroupsS8CarryDsp", M33, 0.5),
        ("ConvGroupsS8PlainDsp", M4, 0.6),
        ("ConvGroupsS8LineDualIssue", M7, 0.1),
        ("ConvGroupsS8CarryDualIssue", M7, 0.5),
    ],
)
def test_groups(kernel: str, board: str, least: float) -> None:
    rng = np.random.default_rng(31)
    check([_in_groups(rng) for _ in range(scaled(8, 300))], kernel, board, least)


@pytest.mark.parametrize("board", [M4, M7])
def test_few_outputs(board: str) -> None:
    rng, graphs = np.random.default_rng(32), []
    for number in range(scaled(12, 300)):
        depth, outputs = pick(rng, between(rng, 1, 100), between(rng, 1, 8), 16, 32, 48), between(rng, 1, 6)
        if number % 2:
            graphs.append(fully_connected_layer(rng, pick(rng, 1, 2, between(rng, 1, 9)), depth, outputs))
        else:
            image = (pick(rng, 1, 2), between(rng, 1, 5), between(rng, 1, 5), depth)
            stride = (between(rng, 1, 3), between(rng, 1, 2)) if image[0] == 1 and chance(rng, 0.5) else (1, 1)
            graphs.append(conv_layer(rng, image, outputs, stride=stride, relu=chance(rng, 0.5)))
    check(graphs, "FullyConnectedFewS8Dsp", board, 0.9)


@pytest.mark.parametrize("op", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools(op: str) -> None:
    rng, graphs = np.random.default_rng(33), []
    for _ in range(scaled(10, 300)):
        image = (pick(rng, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 16, between(rng, 4, 30)))
        kernel = pick(rng, (2, 2), (1, 2), (2, 1), image[1:3], (between(rng, 1, 5), between(rng, 1, 5)))
        graphs.append(pool_layer(rng, op, image, kernel, (between(rng, 1, 3), between(rng, 1, 3))))
    graphs.append(pool_layer(rng, op, (1, 20, 20, 5), (20, 20), (1, 1)))
    check(graphs, f"{op.title().replace('_', '')[:-2]}S8Dsp", M4, 0.9)
