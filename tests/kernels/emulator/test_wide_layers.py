"""16x8 layers with the DSP extension and on MVE: the specification on every byte, and when they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.ir.graph import ABSENT, Attrs, Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.window import ConvAttrs, Pads, same_pads
from harness.quantization.types import Array, Clamp, DType, Quantization
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Draft, Rng, between, chance, pick
from tests.support.scale import scaled

DSP = ("ConvS16Dsp", "DepthwiseConvS16Dsp", "FullyConnectedS16Dsp")
MVE = ("ConvS16Mve", "DepthwiseConvS16Mve", "FullyConnectedS16Mve", "TransposeConvS16Mve")
LONG = ("ConvS16LongDsp", "FullyConnectedS16LongDsp", "ConvS16LongMve", "FullyConnectedS16LongMve")
BOARDS = {"mps2-an386": ("cortex-m4", DSP), "mps2-an500": ("cortex-m7", DSP), "mps3-an547": ("cortex-m55", MVE)}
LARGEST_SUM = (1 << 31) - 1
SHORT = 32768 * 128
"""A product, the largest there is."""


def layer(
    rng: Rng, op: str, x: tuple[int, ...], weights: Array, attrs: Attrs, y: tuple[int, ...], bias: int, real: float
) -> Graph:
    """A layer with a bias of 64 bits in every channel (0: none), which multiplies sums by about `real`."""
    draft, channels = Draft(rng), y[-1]
    source = draft.input(x, Quantization((2.0**-11,), (0,)), DType.INT16)
    w = draft.constant(weights, Quantization((2.0**-8,), (0,)))
    products = Quantization((2.0**-19,), (0,))
    b = draft.constant(np.full(channels, bias, np.int64), products) if bias else ABSENT
    inputs = (source, w, b) if bias or op != "DEPTHWISE_CONV_2D" else (source, w)
    out = draft.tensor(y, Quantization((float(np.float32(2.0**-19 / real)),), (0,)), DType.INT16)
    return draft.finish(op.lower(), (draft.node(op, inputs, (out,), attrs),))


def random_layer(rng: Rng, op: str) -> Graph:
    """Any window, dilation, clamp and number of channels, of a factor below a half."""
    h, w, depth = between(rng, 1, 9), between(rng, 1, 9), between(rng, 1, 19)
    if op == "DEPTHWISE_CONV_2D":
        depth = 4 * between(rng, 1, 5)
    kernel = pick(rng, (1, 1), (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride = (between(rng, 1, 2), between(rng, 1, 2))
    dilation = pick(rng, (1, 1), (between(rng, 1, 2), between(rng, 1, 3)))
    channels = depth if op == "DEPTHWISE_CONV_2D" else between(rng, 1, 13)
    low = pick(rng, 0, -32768, -500)
    clamp = low, pick(rng, 32767, 900)
    bias, real = pick(rng, 0, 77777, -(2**29)), 2.0 ** -between(rng, 2, 16) * rng.uniform(0.5, 0.99)
    if op == "FULLY_CONNECTED":
        data = rng.integers(-128, 128, (channels, depth)).astype(np.int8)
        graph = layer(rng, op, (h, depth), data, FullyConnectedAttrs(DType.INT16.range), (h, channels), bias, real)
        return clamped(graph, clamp)
    size = (-(-h // stride[0]), -(-w // stride[1]))
    shape = (1, *kernel, depth) if op == "DEPTHWISE_CONV_2D" else (channels, *kernel, depth)
    data = rng.integers(-128, 128, shape).astype(np.int8)
    batches = pick(rng, 1, 2)
    attrs = ConvAttrs(stride, dilation, same_pads((h, w), kernel, stride, dilation), DType.INT16.range)
    graph = layer(rng, op, (batches, h, w, depth), data, attrs, (batches, *size, channels), bias, real)
    return clamped(graph, clamp)


def parted_layer(rng: Rng) -> Graph:
    """A convolution in groups, or depthwise of several filters a channel, or columns taken for rows, any window."""
    groups, depth, each = between(rng, 1, 4), between(rng, 1, 9), between(rng, 1, 9)
    tall, filters = chance(rng, 0.3), chance(rng, 0.4)
    h, w = between(rng, 1, 9), 1 if tall else between(rng, 1, 9)
    kernel = (between(rng, 1, 4), 1 if tall else between(rng, 1, 4))
    stride, dilation = ((between(rng, 1, 3), 1 if tall else between(rng, 1, 3)) for _ in range(2))
    channels = depth * between(rng, 2, 9) if filters else groups * each
    op = "DEPTHWISE_CONV_2D" if filters else "CONV_2D"
    taps = (1, *kernel, channels) if filters else (channels, *kernel, depth)
    data = rng.integers(-128, 128, taps).astype(np.int8)
    attrs = ConvAttrs(stride, dilation, same_pads((h, w), kernel, stride, dilation), DType.INT16.range)
    batches, size = pick(rng, 1, 2), (-(-h // stride[0]), -(-w // stride[1]))
    bias, real = pick(rng, 0, 77777, -(2**29)), 2.0 ** -between(rng, 2, 16) * rng.uniform(0.5, 0.99)
    x = (batches, h, w, depth if filters else groups * depth)
    graph = layer(rng, op, x, data, attrs, (batches, *size, channels), bias, real)
    return clamped(graph, (pick(rng, 0, -32768, -500), pick(rng, 32767, 900)))


def transposed_layer(rng: Rng) -> Graph:
    """Any kernel and strides, SAME or VALID."""
    h, w, depth, channels = (between(rng, 1, n) for n in (7, 7, 19, 9))
    kernel, stride = ((between(rng, 1, n), between(rng, 1, n)) for n in (5, 4))
    same = chance(rng, 0.5)
    size = [
        n * s - between(rng, 0, s - 1) if same else (n - 1) * s + k
        for n, s, k in zip((h, w), stride, kernel, strict=True)
    ]
    pads = same_pads((size[0], size[1]), kernel, stride, (1, 1)) if same else Pads()
    data = rng.integers(-128, 128, (channels, *kernel, depth)).astype(np.int8)
    clamp = (pick(rng, 0, -32768, -500), pick(rng, 32767, 900))
    attrs = TransposeConvAttrs(stride, (pads.top, pads.left), DType.INT16.range, same)
    bias, real = pick(rng, 0, 77777, -(2**29)), 2.0 ** -between(rng, 2, 16) * rng.uniform(0.5, 0.99)
    batches = pick(rng, 1, 2)
    graph = layer(rng, "TRANSPOSE_CONV", (batches, h, w, depth), data, attrs, (batches, *size, channels), bias, real)
    return clamped(graph, clamp)


def clamped(graph: Graph, clamp: Clamp) -> Graph:
    """With any clamp: the file knows activations alone."""
    (node,) = graph.nodes
    assert isinstance(node.attrs, ConvAttrs | FullyConnectedAttrs | TransposeConvAttrs)
    return replace(graph, nodes=(replace(node, attrs=replace(node.attrs, clamp=clamp)),))


def kernels(graphs: Sequence[Graph], board: str) -> list[str]:
    core, names = BOARDS[board]
    return [made.kernel for g in graphs for made in compile_graph(g, core=core, prefer=names).layers]


@pytest.mark.parametrize("board", BOARDS)
def test_kernels_equal_the_specification(board: str) -> None:
    rng = np.random.default_rng(11 + list(BOARDS).index(board))
    ops = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    graphs = [random_layer(rng, op) for op in ops for _ in range(scaled(10, 60))]
    found = kernels(graphs, board)
    assert sum("portable" not in name for name in found) >= 0.8 * len(graphs), found
    assert check_on_board(graphs, board, prefer=BOARDS[board][1]) == len(graphs) * VECTORS


@pytest.mark.parametrize("draw", [parted_layer, transposed_layer])
def test_layers_that_mve_alone_computes_by_parts(draw: Callable[[Rng], Graph]) -> None:
    rng = np.random.default_rng(21)
    board, graphs = "mps3-an547", [draw(rng) for _ in range(scaled(16, 300))]
    found = kernels(graphs, board)
    assert sum("portable" not in name for name in found) >= 0.8 * len(graphs), found
    assert check_on_board(graphs, board, prefer=BOARDS[board][1]) == len(graphs) * VECTORS


def test_groups_of_64_bits() -> None:
    rng = np.random.default_rng(22)
    graphs = [g for g in (parted_layer(rng) for _ in range(scaled(20, 200))) if g.nodes[0].op == "CONV_2D"]
    found = [made.kernel for g in graphs for made in compile_graph(g, core="cortex-m55", prefer=LONG).layers]
    assert sum("long" in name for name in found) >= 0.7 * len(graphs), found
    assert check_on_board(graphs, "mps3-an547", prefer=LONG) == len(graphs) * VECTORS


def largest(rng: Rng, more: int) -> Graph:
    """511 of the largest products and a bias: the sum that fits 32 bits, and `more`."""
    data = np.full((5, 511), -128, np.int8)
    attrs = FullyConnectedAttrs(DType.INT16.range)
    return layer(rng, "FULLY_CONNECTED", (1, 511), data, attrs, (1, 5), LARGEST_SUM - 511 * SHORT + more, 2.0**-17)


@pytest.mark.parametrize("board", BOARDS)
def test_sums_that_leave_32_bits_are_left_to_kernels_of_64(board: str) -> None:
    rng = np.random.default_rng(0)
    graphs = [largest(rng, 0), largest(rng, 1)]
    short, long = kernels(graphs, board)
    assert "portable" not in short + long and "long" not in short and "long" in long
    assert check_on_board(graphs, board, prefer=BOARDS[board][1]) == len(graphs) * VECTORS


@pytest.mark.parametrize(("real", "fast"), [(0.4999, True), (0.5, False), (2.0**-18, True), (2.0**-18.5, False)])
def test_factors_of_a_half_are_left_to_kernels_of_64_bits(real: float, fast: bool) -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(-128, 128, (3, 20)).astype(np.int8)
    graph = layer(rng, "FULLY_CONNECTED", (1, 20), data, FullyConnectedAttrs(DType.INT16.range), (1, 3), 0, real)
    for board in BOARDS:
        (kernel,) = kernels([graph], board)
        assert "portable" not in kernel and ("long" not in kernel) == fast


def long_layers(rng: Rng) -> list[Graph]:
    """Layers of more taps than 32 bits hold products of, of random weights and of the largest, and one of few taps."""
    made = []
    for depth, channels in ((1, 5), (508, 3), (509, 4), (1300, 6)):
        for data in (rng.integers(-128, 128, (channels, depth)), np.full((channels, depth), -128)):
            attrs, real = FullyConnectedAttrs(DType.INT16.range), 2.0 ** -between(rng, 17, 25)
            bias = pick(rng, 0, 2**36 - 5, -(2**40))
            x, y = (between(rng, 1, 3), depth), (1, channels)
            made.append(layer(rng, "FULLY_CONNECTED", x, data.astype(np.int8), attrs, (x[0], *y[1:]), bias, real))
    for size, depth, channels in (((4, 3), 57, 3), ((1, 2), 130, 4), ((5, 5), 3, 2)):
        data = rng.integers(-128, 128, (channels, 3, 3, depth)).astype(np.int8)
        attrs = ConvAttrs((1, 1), (1, 1), same_pads(size, (3, 3), (1, 1), (1, 1)), DType.INT16.range)
        made.append(layer(rng, "CONV_2D", (1, *size, depth), data, attrs, (1, *size, channels), 2**40, 2.0**-24))
    return made


@pytest.mark.parametrize("board", BOARDS)
def test_kernels_of_64_bits_equal_the_specification(board: str) -> None:
    graphs = long_layers(np.random.default_rng(5))
    core = BOARDS[board][0]
    found = [made.kernel for g in graphs for made in compile_graph(g, core=core, prefer=LONG).layers]
    assert all("long" in name for name in found), found
    assert check_on_board(graphs, board, prefer=LONG) == len(graphs) * VECTORS
