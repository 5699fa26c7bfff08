"""Layers that MVE kernels compute, held against the specification on the emulated Cortex-M55."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from harness.compiler.compile import compile_graph
from harness.compiler.plan import Layer, Plan
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.mve import mve_requant
from harness.kernels.quantized_layer import quantized_layer
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.overlapped import Layer as Overlapped
from tests.support.overlapped import layer_of

BOARD = "mps3-an547"
Pair: TypeAlias = tuple[int, int]


def check(graphs: Sequence[Graph], kernel: str, function: str) -> None:
    """The last node of every graph is computed by `kernel`, whose C function is `function`, and exactly.

    The few of which passes leave nothing to compute are checked as well.
    """
    found = [layer for graph in graphs for layer in layers_of(graph, kernel) if layer.op == graph.nodes[-1].op]
    assert {layer.kernel for layer in found} == {function}
    assert len(found) >= 0.9 * len(graphs)
    assert check_on_board(list(graphs), BOARD, prefer={kernel}) == len(graphs) * VECTORS


def _plan(graph: Graph, kernel: str) -> Plan:
    return compile_graph(graph, core="cortex-m55", prefer={kernel})


def layers_of(graph: Graph, kernel: str) -> Sequence[Layer]:
    """Of the graph, compiled for the Cortex-M55 with a kernel preferred."""
    return _plan(graph, kernel).layers


def by_factors(graphs: Sequence[Graph]) -> list[Graph]:
    """Those whose last layer is requantized by factors: the others have other functions."""
    target = Target("cortex-m55")
    found = [g for g in graphs if mve_requant(quantized_layer(Context(g, g.nodes[-1], target))).by_factors]
    assert len(found) > 0.3 * len(graphs)
    return found


def where_it_applies(graphs: Sequence[Graph], kernel: Kernel) -> list[Graph]:
    """Those of them that a kernel computes where it is preferred."""
    return [graph for graph in graphs if any(s.kernel is kernel for s in _plan(graph, type(kernel).__name__).steps)]


def nearest(kernel: Kernel, graphs: Sequence[Graph]) -> list[tuple[Overlapped, int]]:
    """Layers of it whose output lies over the input, as near as is safe."""
    layers = [layer for graph in graphs if (layer := layer_of(Target("cortex-m55"), kernel, graph)) is not None]
    cases = [(layer, distance // 4 * 4) for layer in layers for distance in layer.nearest]
    return [(layer, distance) for layer, distance in cases if layer.overlap.allows(distance)]


def drawn_depth(rng: Rng) -> int:
    """Channels: one, whole vectors, and what is between."""
    return pick(rng, 1, 8, 16, 16 * between(rng, 1, 6) + between(rng, 0, 8))


def side(rng: Rng, kernel: int, stride: int, dilation: int) -> tuple[int, tuple[int, int]]:
    """Image size and padding (before, after) along one axis, with at least one window."""
    reach = (kernel - 1) * dilation + 1
    before, after = (between(rng, 0, reach - 1) if chance(rng, 0.6) else 0 for _ in range(2))
    return max(reach - before - after, 1) + between(rng, 0, 3 * stride), (before, after)


def drawn_image(rng: Rng, kernel: Pair, stride: Pair, dilation: Pair) -> tuple[int, int, Pads]:
    """Height and width of an image, and its padding, with at least one window."""
    height, vertical = side(rng, kernel[0], stride[0], dilation[0])
    width, horizontal = side(rng, kernel[1], stride[1], dilation[1])
    return height, width, Pads(*vertical, *horizontal)
