"""Winograd's convolutions over their whole domain equal the specification, on emulated cores."""

from __future__ import annotations

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from harness.ir.window import Pads
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer
from tests.support.scale import scaled

VARIANTS = [
    ("ConvWinogradDsp", "mps2-an386", "conv_winograd_s8_dsp"),
    ("ConvWinogradDualIssue", "mps2-an500", "conv_winograd_s8_dual_issue"),
    ("ConvWinogradDsp", "mps2-an505", "conv_winograd_s8_dsp"),
]


def _convolution(rng: Rng) -> Graph:
    """3x3, SAME, VALID or padded by any number; all else random (tests/support/builders/weights.py)."""
    height, width = between(rng, 1, 19), between(rng, 1, 19)
    image = (pick(rng, 1, 1, 2), height, width, pick(rng, 3, 4, 8, 16, between(rng, 1, 20)))
    pads = None
    if min(height, width) >= 3 and chance(rng, 0.5):
        pads = pick(rng, Pads(), Pads(*(between(rng, 0, 3) for _ in range(4))))
    return conv_layer(rng, image, between(rng, 1, 18), (3, 3), pads=pads)


@pytest.mark.parametrize(("name", "board", "function"), VARIANTS, ids=["m4", "m7", "m33"])
def test_convolutions(name: str, board: str, function: str) -> None:
    rng = np.random.default_rng(len(board) + ord(board[-1]))
    graphs = [_convolution(rng) for _ in range(scaled(12, 400))]
    core = load_boards()[board].core
    kernels = [compile_graph(graph, core=core, prefer={name}).layers[-1].kernel for graph in graphs]
    assert kernels.count(function) >= len(graphs) / 2
    assert check_on_board(graphs, board, prefer={name}) == len(graphs) * VECTORS
