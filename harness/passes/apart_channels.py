"""Rewrites a CONV_2D in as many groups as the image has channels as the equal DEPTHWISE_CONV_2D."""

from __future__ import annotations

from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.passes.rewrite import with_channels_along
from harness.quantization.types import DType


def apart_channels(graph: Graph) -> Graph:
    """The rewritten graph; as every output channel reads one input channel, just the weights' layout changes.

    Of int8 alone: sums of floats have an order, and the operators differ in the biases that int16 takes.
    """
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        if not isinstance(node.attrs, ConvAttrs) or has(node, Trait.CHANNELS_APART):
            continue
        x, weights = (graph.tensors[t] for t in node.inputs[:2])
        if x.dtype is not DType.INT8 or x.shape[3] == 1 or weights.shape[3] != 1 or weights.data is None:
            continue
        graph = with_channels_along(graph, index, "DEPTHWISE_CONV_2D", 3)
    return graph
