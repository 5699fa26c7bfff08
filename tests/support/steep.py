"""Layers in which some channels have large multipliers: real ones of 1/4 and more, which few kernels' forms hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ir.weights import channel_weights
from harness.quantization.types import Quantization


def steepened(graph: Graph, reals: Sequence[float]) -> Graph:
    """The graph with its last layer's first channels multiplied by `reals`; one for each, others as they were."""
    node = next(n for n in reversed(graph.nodes) if has(n, Trait.WEIGHTS))
    x, w, y = (graph.tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
    channels = len(channel_weights(graph, node))
    scales = np.broadcast_to(np.array(w.q.scales, np.float64), channels).copy()
    scales[: len(reals)] = np.array(reals)[:channels] * y.q.scale / x.q.scale
    axis = 3 if has(node, Trait.CHANNELS_APART) else 0
    kept = tuple(float(np.float32(scale)) for scale in scales)
    tensors = list(graph.tensors)
    tensors[node.inputs[1]] = replace(w, quant=Quantization(kept, (0,) * channels, axis))
    if len(node.inputs) > 2 and node.inputs[2] >= 0:
        products = tuple(float(np.float32(scale * x.q.scale)) for scale in kept)
        bias = tensors[node.inputs[2]]
        tensors[node.inputs[2]] = replace(bias, quant=Quantization(products, (0,) * channels, 0))
    return replace(graph, tensors=tuple(tensors))
