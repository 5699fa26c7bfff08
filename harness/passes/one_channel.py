"""Rewrites a DEPTHWISE_CONV_2D of an image of one channel as the equal CONV_2D."""

from __future__ import annotations

from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_channels_along

FEWEST = 4
"""Least output channels for it: kernels of CONV_2D compute four of a pixel at once, and are faster from there on."""


def one_channel(graph: Graph) -> Graph:
    """The rewritten graph; as every output channel reads the only input channel, just the weights' layout changes."""
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        if not has(node, Trait.CHANNELS_APART) or graph.tensors[node.inputs[0]].shape[3] != 1:
            continue
        weights = graph.tensors[node.inputs[1]]
        if weights.shape[3] < FEWEST or weights.data is None:
            continue
        graph = with_channels_along(graph, index, "CONV_2D", 0)
    return graph
