"""Rewrites a CONV_2D in as many groups as the image has channels as the equal DEPTHWISE_CONV_2D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, Tensor
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs
from harness.passes.rewrite import with_node
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
        graph = replace(graph, tensors=(*graph.tensors, _channels_last(weights)))
        inputs = (node.inputs[0], len(graph.tensors) - 1, *node.inputs[2:])
        graph = with_node(graph, index, replace(node, op="DEPTHWISE_CONV_2D", inputs=inputs))
    return graph


def _channels_last(weights: Tensor) -> Tensor:
    """(channels, height, width, 1) as (1, height, width, channels)."""
    assert weights.data is not None
    data = np.ascontiguousarray(weights.data.transpose(3, 1, 2, 0))
    data.setflags(write=False)
    quant = weights.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=3)
    return replace(weights, shape=data.shape, data=data, quant=quant, source=None)
