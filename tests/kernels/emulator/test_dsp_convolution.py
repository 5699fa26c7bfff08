"""Convolutions and fully connected layers of the DSP extension over their whole domain equal the specification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.compiler.goals import Goals
from harness.compiler.plan import Plan
from harness.hardware.target import Cached, Target
from harness.ir.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.conv_networks import vgg_like
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import conv_layer, fully_connected_layer, tie_layer
from tests.support.scale import scaled

M4, M7 = "mps2-an386", "mps2-an500"
VARIANTS = [
    ("line_dsp", "LineDsp", M4),
    ("carry_dsp", "CarryDsp", M4),
    ("plain_dsp", "PlainDsp", M4),
    ("line_dual_issue", "LineDualIssue", M7),
    ("carry_dual_issue", "CarryDualIssue", M7),
]
each_variant = pytest.mark.parametrize(("variant", "name", "board"), VARIANTS, ids=[v[0] for v in VARIANTS])


def check(graphs: Sequence[Graph], kernel: str, function: str, board: str) -> None:
    """All graphs are exact, and enough of them are computed by `kernel`; it must decline the others."""
    core = load_boards()[board].core
    names = [compile_graph(graph, core=core, prefer={kernel}).layers[0].kernel for graph in graphs]
    assert names.count(function) >= len(graphs) / 4
    assert check_on_board(list(graphs), board, prefer={kernel}) == len(graphs) * VECTORS


def _convolution(rng: Rng, relu: bool) -> Graph:
    image = (pick(rng, 1, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 1, 3, 4, 8, between(rng, 1, 20)))
    kernel = pick(rng, (1, 1), (3, 3), (2, 2), (between(rng, 1, 5), between(rng, 1, 5)))
    stride = pick(rng, (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    dilation = (1, 1) if chance(rng, 0.8) else (between(rng, 1, 3), between(rng, 1, 3))
    return conv_layer(rng, image, between(rng, 1, 18), kernel, stride, dilation, relu=relu)


@each_variant
def test_convolutions(variant: str, name: str, board: str) -> None:
    rng = np.random.default_rng(1)
    graphs = [_convolution(rng, variant.startswith("line")) for _ in range(scaled(40, 400))]
    check(graphs, f"ConvS8{name}", f"conv_s8_{variant}", board)


@each_variant
def test_fully_connected(variant: str, name: str, board: str) -> None:
    rng = np.random.default_rng(2)
    relu = variant.startswith("line")
    graphs = [
        fully_connected_layer(rng, between(rng, 1, 3), between(rng, 1, 90), between(rng, 1, 20), relu=relu)
        for _ in range(scaled(24, 300))
    ]
    check(graphs, f"FullyConnectedS8{name}", f"fully_connected_s8_{variant}", board)
    check(graphs[: len(graphs) // 2], f"ConvS8{name}", f"conv_s8_{variant}", board)


@each_variant
def test_ties_of_requantization(variant: str, name: str, board: str) -> None:
    rng = np.random.default_rng(3)
    zeros = (-128,) if variant.startswith("line") else (-128, -7, 127)
    graphs = [
        tie_layer(rng, 120, zero_point, False, 2**-15) for zero_point in zeros for _ in range(scaled(1, 8))
    ]
    check(graphs, f"ConvS8{name}", f"conv_s8_{variant}", board)


SLOW_FLASH = Target("cortex-m4", weights=Cached(sets=8, ways=4, line=8, load=7.3))
CACHED_FLASH = Target("cortex-m7", weights=Cached(sets=64, ways=2, line=32, load=20))


@pytest.mark.parametrize(
    ("name", "target", "board", "function"),
    [
        ("ConvS8LineStaged", SLOW_FLASH, M4, "conv_s8_line_dsp"),
        ("ConvS8CarryStaged", SLOW_FLASH, M4, "conv_s8_carry_dsp"),
        ("ConvS8PlainStaged", SLOW_FLASH, M4, "conv_s8_plain_dsp"),
        ("ConvS8LineChunked", CACHED_FLASH, M7, "conv_s8_line_dual_issue"),
        ("ConvS8CarryChunked", CACHED_FLASH, M7, "conv_s8_carry_dual_issue"),
    ],
)
def test_some_channels_at_a_time(name: str, target: Target, board: str, function: str) -> None:
    """Weights copied to RAM, and weights used from a cache that does not hold them all, in several passes."""
    rng = np.random.default_rng(4)
    relu = "Line" in name
    graphs = [
        conv_layer(rng, (1, between(rng, 2, 5), between(rng, 2, 5), pick(rng, 24, 32, 61)), channels, (3, 3), relu=relu)
        for channels in (*range(40, 52), 96)
    ]
    step = [compile_graph(graph, core=target, prefer={name}).steps[0] for graph in graphs]
    kernels = [type(s.kernel).__name__ for s in step]
    assert kernels.count(name) >= 2, kernels
    passes = [s.lowered.calls[0].shape for s in step if type(s.kernel).__name__ == name]
    assert any(shape["chunk"] < shape["out_c"] for shape in passes)
    assert check_on_board(graphs, board, prefer={name}, target=target) == len(graphs) * VECTORS
    assert function in {s.lowered.kernel for s in step}


@pytest.mark.parametrize(
    ("name", "target", "board"),
    [
        ("ConvS8LinePadded", Target("cortex-m4"), M4),
        ("ConvS8CarryPaddedDualIssue", Target("cortex-m7"), M7),
        *scaled(
            (),
            (
                ("ConvS8CarryStagedPadded", SLOW_FLASH, M4),
                ("ConvS8LineStagedPadded", SLOW_FLASH, M4),
                ("ConvS8CarryPadded", Target("cortex-m4"), M4),
                ("ConvS8LinePaddedDualIssue", Target("cortex-m7"), M7),
            ),
        ),
    ],
)
def test_images_copied_with_their_padding(name: str, target: Target, board: str) -> None:
    """Images of which windows reach beyond the border on any side, and some that they do not reach the end of."""
    rng = np.random.default_rng(5)
    relu, graphs = "Line" in name, []
    while len(graphs) < scaled(16, 160):
        graph = _convolution(rng, relu)
        plan = compile_graph(graph, core=target, prefer={name})
        graphs += [graph] if type(plan.steps[0].kernel).__name__ == name else []
    assert check_on_board(graphs, board, prefer={name}, target=target) == len(graphs) * VECTORS


def test_images_copied_with_their_padding_a_few_rows_at_a_time() -> None:
    """Rows lie in the scratch of their layer, and the copies behind them."""
    graphs = [vgg_like(12, (4,), seed=seed) for seed in range(scaled(4, 16))]
    prefer = {"ConvS8LinePadded"}
    plans = [compile_graph(graph, core="cortex-m4", prefer=prefer, goals=Goals("ram")) for graph in graphs]
    assert any(_rows_padded(plan) for plan in plans)
    assert check_on_board(graphs, M4, prefer=prefer) == len(graphs) * VECTORS


def _rows_padded(plan: Plan) -> bool:
    fused = (step.parts for step in plan.steps if len(step.parts) > 1)
    return any(type(part.kernel).__name__ == "ConvS8LinePadded" for parts in fused for part in parts)
