"""Where Vela 5.2's stream says something else than the model; docs/ethos-u.md has what was found."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.graph import Graph, Node
from harness.quantization.types import DType


def _grouped(graph: Graph, node: Node) -> bool:
    return node.op == "CONV_2D" and graph.tensors[node.inputs[0]].shape[-1] != graph.tensors[node.inputs[1]].shape[-1]


def _extremes(graph: Graph, node: Node) -> bool:
    return node.op in ("REDUCE_MAX", "REDUCE_MIN") and (len(node.attrs.axes) > 1 or not node.attrs.keep_dims)


def _sums_over_several_axes(graph: Graph, node: Node) -> bool:
    return node.op == "SUM" and len(node.attrs.axes) > 1


def _mirrored_channels(graph: Graph, node: Node) -> bool:
    return node.op == "MIRROR_PAD" and any(node.attrs.paddings[-1])


def _of_int16(op: str) -> Callable[[Graph, Node], bool]:
    return lambda graph, node: node.op == op and graph.tensors[graph.inputs[0]].dtype is DType.INT16


VELA_DIFFERS: dict[str, Callable[[Graph, Node], bool]] = {
    "SAME padding of a grouped convolution goes below and to the right": _grouped,
    "extremes over several axes reduce fewer, and those that drop their axes mistake the shape": _extremes,
    "SUM over several axes sums fewer": _sums_over_several_axes,
    "MIRROR_PAD of the last axis leaves out what it should mirror": _mirrored_channels,
    "RSQRT of int16 is a table with straight lines between": _of_int16("RSQRT"),
    "LEAKY_RELU of int16 takes a maximum of two products": _of_int16("LEAKY_RELU"),
}
"""Reason -> whether an operator of a graph is computed so."""


def vela_differs(graph: Graph) -> bool:
    """Whether the stream of some operator says something else than the graph."""
    return any(differs(graph, node) for differs in VELA_DIFFERS.values() for node in graph.nodes)
