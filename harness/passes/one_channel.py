"""Rewrites a DEPTHWISE_CONV_2D of an image of one channel as the equal CONV_2D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, Tensor
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_node

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
        graph = replace(graph, tensors=(*graph.tensors, _channels_first(weights)))
        inputs = (node.inputs[0], len(graph.tensors) - 1, *node.inputs[2:])
        graph = with_node(graph, index, replace(node, op="CONV_2D", inputs=inputs))
    return graph


def _channels_first(weights: Tensor) -> Tensor:
    """(1, height, width, channels) as (channels, height, width, 1)."""
    assert weights.data is not None
    data = np.ascontiguousarray(weights.data.transpose(3, 1, 2, 0))
    data.setflags(write=False)
    quant = weights.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=0)
    return replace(weights, shape=data.shape, data=data, quant=quant, source=None)
