"""Winograd's convolutions over their whole domain equal the specification, on emulated cores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.kernels.convolution_winograd import KERNELS
from tests.support.compiled import VECTORS, check_on_board
from tests.support.conv_networks import resnet_like, vgg_like
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer
from tests.support.overlapped import Layer, check, layer_of
from tests.support.scale import scaled

VARIANTS = [
    ("ConvWinogradDsp", "mps2-an386", "dsp"),
    ("ConvWinogradDualIssue", "mps2-an500", "dual_issue"),
    ("ConvWinogradDsp", "mps2-an505", "dsp"),
]


def _convolution(rng: Rng) -> Graph:
    """3x3, SAME, VALID or padded by any number; all else random (tests/support/builders/weights.py)."""
    height, width = between(rng, 1, 19), between(rng, 1, 19)
    image = (pick(rng, 1, 1, 2), height, width, pick(rng, 3, 4, 8, 16, between(rng, 1, 20)))
    pads = None
    if min(height, width) >= 3 and chance(rng, 0.5):
        pads = pick(rng, Pads(), Pads(*(between(rng, 0, 3) for _ in range(4))))
    return conv_layer(rng, image, between(rng, 1, 18), (3, 3), pads=pads, relu=chance(rng, 0.5))


@pytest.mark.parametrize(("name", "board", "loops"), VARIANTS, ids=["m4", "m7", "m33"])
def test_convolutions(name: str, board: str, loops: str) -> None:
    rng = np.random.default_rng(int(board[-1]))
    graphs = [_convolution(rng) for _ in range(scaled(3 if board == "mps2-an505" else 8, 400))]
    core = load_boards()[board].core
    kernels = [compile_graph(graph, core=core, prefer={name}).layers[-1].kernel for graph in graphs]
    rounded, by_line = (kernels.count(f"conv_winograd_s8_{form}{loops}") for form in ("", "line_"))
    assert rounded + by_line >= len(graphs) / 2
    assert by_line and rounded
    graphs += [vgg_like(16, (8, 16)), resnet_like(12, (8, 16), blocks=1)]
    assert check_on_board(graphs, board, prefer={name}) == len(graphs) * VECTORS


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500"])
def test_in_any_room_and_with_outputs_over_inputs(board: str) -> None:
    """Every kernel on layers for which it has a tiling of its own, buffers as close as its order of accesses allows."""
    cases = list(_close(board, scaled(1, 20)))
    assert len({layer.kernel for layer, _ in cases}) == len(KERNELS) / 2
    assert all(check(board, cases))


def _close(board: str, each: int) -> Iterator[tuple[Layer, int]]:
    target, rng = Target(load_boards()[board].core), np.random.default_rng(11)
    for kernel in KERNELS:
        found = 0
        while kernel.runs_on(target.features) and found < each:
            image = (pick(rng, 1, 1, 2), between(rng, 4, 26), between(rng, 4, 26), between(rng, 4, 56))
            layer = layer_of(target, kernel, conv_layer(rng, image, between(rng, 4, 56), (3, 3)))
            distances = [] if layer is None else [distance // 4 * 4 for distance in layer.nearest]
            if layer is not None and (safe := [d for d in distances if layer.overlap.allows(d)]):
                yield from ((layer, distance) for distance in safe)
                found += 1
