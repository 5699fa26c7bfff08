"""Depthwise kernels for the DSP extension over their whole domain equal the specification, on emulated cores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from harness.ir.window import ConvAttrs, Pads, same_pads
from harness.quantization.types import Quantization
from tests.support.builders.common import fused
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Draft, Rng, between, chance, pick
from tests.support.layers import conv_layer
from tests.support.scale import scaled


def check(graphs: Sequence[Graph], kernel: str, function: str, board: str) -> None:
    """Graphs that `kernel`, whose C function is `function`, computes are exact; most are computed by it."""
    core = load_boards()[board].core
    taken = [
        graph
        for graph in graphs
        if function in [layer.kernel for layer in compile_graph(graph, core=core, prefer={kernel}).layers]
    ]
    assert len(taken) > 0.7 * len(graphs)
    assert check_on_board(taken, board, prefer={kernel}) == len(taken) * VECTORS


def _image(rng: Rng) -> tuple[int, int, int, int]:
    channels = between(rng, 1, 9) if chance(rng, 0.7) else 4 * between(rng, 1, 8)
    sizes = [between(rng, 1, 9) if chance(rng, 0.6) else between(rng, 1, 22) for _ in range(2)]
    return 1, sizes[0], sizes[1], channels


def _three_by_three(rng: Rng, stride: int) -> Graph:
    batch, height, width, channels = _image(rng)
    steps = (stride, stride)
    if chance(rng, 0.4):
        pads = Pads(between(rng, 0, 2), between(rng, 0, 2), between(rng, 0, 2), between(rng, 0, 2))
        image = (batch, max(height, 3), max(width, 3), channels)
        return conv_layer(rng, image, channels, (3, 3), steps, pads=pads, depthwise=True)
    return conv_layer(rng, (batch, height, width, channels), channels, (3, 3), steps, depthwise=True)


@pytest.mark.parametrize(
    ("board", "stride", "kernel", "function"),
    [
        ("mps2-an386", 1, "DepthwiseConv3x3S8Dsp", "depthwise_conv_3x3_s8_dsp"),
        ("mps2-an386", 2, "DepthwiseConv3x3Stride2S8Dsp", "depthwise_conv_3x3_s2_s8_dsp"),
        ("mps2-an500", 1, "DepthwiseConv3x3S8DualIssue", "depthwise_conv_3x3_s8_dual_issue"),
        ("mps2-an500", 2, "DepthwiseConv3x3Stride2S8DualIssue", "depthwise_conv_3x3_s2_s8_dual_issue"),
        ("mps2-an505", 1, "DepthwiseConv3x3S8Dsp", "depthwise_conv_3x3_s8_dsp"),
    ],
)
def test_three_by_three(board: str, stride: int, kernel: str, function: str) -> None:
    rng = np.random.default_rng(stride)
    check([_three_by_three(rng, stride) for _ in range(scaled(20, 400))], kernel, function, board)


def _any_kernel(rng: Rng) -> Graph:
    batch = pick(rng, 1, 1, 2)
    channels = between(rng, 4, 11) if chance(rng, 0.6) else 4 * between(rng, 1, 9)
    kernel = pick(
        rng, (3, 3), (between(rng, 2, 12), 1), (1, between(rng, 2, 12)), (between(rng, 1, 5), between(rng, 1, 5))
    )
    stride = (between(rng, 1, 3), between(rng, 1, 3)) if chance(rng, 0.4) else (1, 1)
    dilation = (between(rng, 1, 3), between(rng, 1, 3)) if chance(rng, 0.4) else (1, 1)
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    if chance(rng, 0.5):
        image = (batch, reach[0] + between(rng, 0, 4), reach[1] + between(rng, 0, 4), channels)
        pads = Pads(*(between(rng, 0, 2) if chance(rng, 0.3) else 0 for _ in range(4)))
        return conv_layer(rng, image, channels, kernel, stride, dilation, pads, depthwise=True)
    image = (batch, between(rng, 1, 9), between(rng, 1, 9), channels)
    return conv_layer(rng, image, channels, kernel, stride, dilation, depthwise=True)


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an505"])
def test_any_kernel(board: str) -> None:
    rng = np.random.default_rng(7)
    check([_any_kernel(rng) for _ in range(scaled(20, 400))], "DepthwiseConvS8Dsp", "depthwise_conv_s8_dsp", board)


def _edge(rng: Rng, stride: int) -> Graph:
    """3x3 whose sums lie about the bounds of the requantizations, with the largest weights, ties and dead channels."""
    draft = Draft(rng)
    channels = between(rng, 6, 12)
    x = draft.input((1, between(rng, 2, 7), between(rng, 2, 7), channels))
    w = rng.choice(np.array([-128, -127, 127, 0, 1]), size=(1, 3, 3, channels), p=[0.3, 0.1, 0.3, 0.1, 0.2])
    w[..., 0] = 0
    centres = rng.choice(np.array([0, 3000, 2**22, 2**23, 2**23 - 2**18, 2**29, 2**30 - 2**19, 2**30]), size=channels)
    near = rng.integers(-(2**18), 2**18, channels)
    bias = np.clip((centres + near) * rng.choice(np.array([-1, 1]), size=channels), -(2**31), 2**31 - 1)
    zero = pick(rng, -128, -128, 0, 17)
    y_scale = draft.quant(x).scale
    # The output of the bias is in or about int8; some channels are multiplied by nearly nothing.
    factors = [abs(float(rng.normal(0, 120))) / max(abs(int(b)), 2000) + 2.0**-40 for b in bias]
    scales = tuple(float(np.float32(min(f, 0.4))) for f in factors)
    weights = draft.constant(w.astype(np.int8), Quantization(scales, (0,) * channels, 3))
    products = tuple(float(np.float32(y_scale * s)) for s in scales)
    b = draft.constant(bias.astype(np.int32), Quantization(products, (0,) * channels, 0))
    height, width = (-(-n // stride) for n in draft.shape(x)[1:3])
    y = draft.tensor((1, height, width, channels), Quantization((y_scale,), (zero,)))
    pads = same_pads(draft.shape(x)[1:3], (3, 3), (stride, stride), (1, 1))
    attrs = ConvAttrs((stride, stride), (1, 1), pads, fused(rng, draft.tensors[y]))
    return draft.finish("edge", (draft.node("DEPTHWISE_CONV_2D", (x, weights, b), (y,), attrs),))


@pytest.mark.parametrize(
    ("board", "stride", "kernel"),
    [
        ("mps2-an386", 1, "DepthwiseConv3x3S8Dsp"),
        ("mps2-an386", 2, "DepthwiseConv3x3Stride2S8Dsp"),
        ("mps2-an500", 1, "DepthwiseConv3x3S8DualIssue"),
        ("mps2-an386", 1, "DepthwiseConvS8Dsp"),
        ("mps2-an385", 1, "DepthwiseConvS8Plane"),
        ("mps2-an385", 2, "DepthwiseConvS8Portable"),
    ],
)
def test_bounds(board: str, stride: int, kernel: str) -> None:
    rng = np.random.default_rng(stride)
    graphs = [_edge(rng, stride) for _ in range(scaled(10, 300))]
    plans = [compile_graph(graph, core=load_boards()[board].core, prefer={kernel}) for graph in graphs]
    names = [type(step.kernel).__name__ for plan in plans for step in plan.steps]
    assert names.count(kernel) >= 0.9 * len(graphs)
    assert check_on_board(graphs, board, prefer={kernel}) == len(graphs) * VECTORS
