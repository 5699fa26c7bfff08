"""float32 layers in vectors of MVE: the specification's bits, also where scalars compute again what vectors cannot."""

from __future__ import annotations

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, Pads, same_pads
from harness.kernels import float_layers_mve
from harness.kernels.float_binary_mve import BinaryF32Mve
from harness.quantization.types import Clamp, DType
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Draft, Rng, between, chance, pick
from tests.support.odd_floats import float_graphs
from tests.support.overlapped import check, layer_of
from tests.support.scale import scaled

BOARD = "mps3-an547"
ODD = 0.02
KERNELS = {next(iter(kernel.ops)): type(kernel).__name__ for kernel in float_layers_mve.KERNELS}


@pytest.mark.parametrize("op", KERNELS)
@pytest.mark.parametrize("odd", [0.0, ODD])
def test_layers(op: str, odd: float) -> None:
    rng = np.random.default_rng(list(KERNELS).index(op))
    graphs = [_layer(rng, op) for _ in range(scaled(10, 300))]
    plans = [compile_graph(graph, core="cortex-m55", prefer={KERNELS[op]}) for graph in graphs]
    assert all(plan.layers[-1].kernel.endswith("_f32_mve") for plan in plans)
    assert check_on_board(graphs, BOARD, prefer={KERNELS[op]}, odd=odd) == len(graphs) * VECTORS


@pytest.mark.parametrize("kernel", float_layers_mve.KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_outputs_over_inputs_that_are_odd(kernel: float_layers_mve.Kernel) -> None:
    rng, target = np.random.default_rng(7), Target("cortex-m55")
    drawn = [layer_of(target, kernel, _layer(rng, next(iter(kernel.ops)))) for _ in range(scaled(8, 150))]
    cases = [(layer, d // 4 * 4) for layer in drawn if layer for d in layer.nearest if layer.overlap.allows(d // 4 * 4)]
    if cases:
        assert all(check(BOARD, cases, odd=ODD))


@pytest.mark.parametrize("odd", [0.0, ODD])
def test_pairs_of_floats(odd: float) -> None:
    ops = sorted(BinaryF32Mve.ops)
    drawn = [graph for op in ops for graph in float_graphs(op, 11, scaled(12, 150))]
    graphs = [graph for graph in drawn if _takes(graph)]
    graphs += [_rows(np.random.default_rng(number), ops[number % 3]) for number in range(6)]
    assert len(graphs) >= 0.5 * len(drawn)
    assert check_on_board(graphs, BOARD, prefer={"BinaryF32Mve"}, odd=odd) == len(graphs) * VECTORS


def _takes(graph: Graph) -> bool:
    plan = compile_graph(graph, core="cortex-m55", prefer={"BinaryF32Mve"})
    return "binary_f32_mve" in {layer.kernel for layer in plan.layers}


def _rows(rng: Rng, op: str) -> Graph:
    """Operands longer than a block, one of which may be the same for every row, or in every row."""
    draft, rows, length = Draft(rng), between(rng, 1, 3), between(rng, 16, 70)
    first = draft.input((rows, length), None, DType.FLOAT32)
    second = draft.input(pick(rng, (rows, length), (1, length), (rows, 1)), None, DType.FLOAT32)
    inputs = (first, second) if chance(rng, 0.5) else (second, first)
    output = draft.tensor((rows, length), None, DType.FLOAT32)
    return draft.finish("rows", (draft.node(op, inputs, (output,), BinaryAttrs(_clamp(rng))),))


def test_a_layer_whose_channels_died_stays_scalar() -> None:
    for share, kernel in ((0.1, "conv_f32_mve"), (0.5, "conv_f32_chained")):
        graph = _layer(np.random.default_rng(3), "CONV_2D", dead=share)
        assert compile_graph(graph, core="cortex-m55", prefer={"ConvF32Mve"}).layers[-1].kernel == kernel


def _layer(rng: Rng, op: str, dead: float = 0.0) -> Graph:
    """A layer of any window, groups and activation; without a bias often, so that tiny sums stay tiny."""
    if op == "FULLY_CONNECTED":
        rows, depth, channels = pick(rng, 1, between(rng, 1, 9)), between(rng, 1, 40), between(rng, 1, 19)
        return _drawn(rng, op, (rows, depth), (channels, depth), (rows, channels), FullyConnectedAttrs(_clamp(rng)))
    depthwise = op == "DEPTHWISE_CONV_2D"
    groups = 1 if depthwise else pick(rng, 1, 1, 1, 2, 3)
    depth = between(rng, 4, 13) if depthwise else groups * between(rng, 1, 9)
    channels = depth if depthwise else groups * between(rng, 1, 11)
    if dead:
        groups, depth, channels = 1, 4, 20
    kernel = pick(rng, (1, 1), (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = (pick(rng, (1, 1), (1, 1), (between(rng, 1, 3), between(rng, 1, 2))) for _ in range(2))
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    size = (reach[0] + between(rng, 0, 3 * stride[0]), reach[1] + between(rng, 0, 9 * stride[1]))
    pads = pick(rng, Pads(), same_pads(size, kernel, stride, dilation))
    padded = (size[0] + pads.top + pads.bottom, size[1] + pads.left + pads.right)
    out = tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True))
    w = (1, *kernel, channels) if depthwise else (channels, *kernel, depth // groups)
    attrs = ConvAttrs(stride, dilation, pads, _clamp(rng))
    batch = pick(rng, 1, 1, 2)
    return _drawn(rng, op, (batch, *size, depth), w, (batch, *out, channels), attrs, dead)


def _clamp(rng: Rng) -> Clamp:
    return pick(rng, DType.FLOAT32.range, DType.FLOAT32.range, (0, DType.FLOAT32.range[1]), (0, 6), (-1, 1))


def _drawn(
    rng: Rng,
    op: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    y: tuple[int, ...],
    attrs: ConvAttrs | FullyConnectedAttrs,
    dead: float = 0.0,
) -> Graph:
    draft, channels = Draft(rng), y[-1]
    data = np.where(rng.random(w) < 0.1, 0, rng.normal(0, 2.0 ** rng.integers(-20, 20), w)).astype(np.float32)
    if dead:
        data[: int(dead * channels)] *= np.float32(2.0**-120)
    inputs = (draft.input(x, None, DType.FLOAT32), draft.constant(data, None))
    if chance(rng, 0.4):
        inputs += (draft.constant(rng.normal(0, 1, channels).astype(np.float32), None),)
    return draft.finish("layer", (draft.node(op, inputs, (draft.tensor(y, None, DType.FLOAT32),), attrs),))
