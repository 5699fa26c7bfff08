"""Cross-layer equalisation: channels between two layers are scaled so that the weights of both have alike ranges.

Source: Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from harness.compression.stacks import Floats, bias_of, is_apart, is_matrix
from harness.ir.graph import Graph, Node, Tensor
from harness.passes.rewrite import with_tensors

_ROUNDS = 3
_LEAST, _MOST = 1e-3, 1e3
_UNLIMITED = 1e30
"""A float clamp beyond this is none."""


def equalised(graph: Graph) -> Graph:
    """The same function, with other weights, where the layers between allow it: activations none or RELU."""
    for _ in range(_ROUNDS):
        for node in graph.nodes:
            before = layer_before(graph, node)
            if before is not None:
                graph = with_tensors(graph, _scaled(graph, before, node))
    return graph


def layer_before(graph: Graph, node: Node) -> Node | None:
    """The layer whose output only `node` reads, if scaling its channels changes nothing but scales."""
    if not is_matrix(graph, node):
        return None
    x = node.inputs[0]
    number = graph.producers().get(x)
    if number is None or len(graph.consumers()[x]) != 1 or x in graph.outputs:
        return None
    first = graph.nodes[number]
    if not is_matrix(graph, first):
        return None
    low, high = first.attrs.clamp  # type: ignore[attr-defined]
    linear = low == 0 or low < -_UNLIMITED
    return first if linear and high > _UNLIMITED else None


def _scaled(graph: Graph, first: Node, second: Node) -> dict[int, Tensor]:
    out = cast(Floats, graph.tensors[first.inputs[1]].data)
    into = cast(Floats, graph.tensors[second.inputs[1]].data)
    ranges_out = _output_ranges(first, out)
    ranges_in = _input_ranges(second, into)
    if ranges_out.shape != ranges_in.shape:  # groups, multipliers, rows of several pixels
        return {}
    live = (ranges_out > 1e-8) & (ranges_in > 1e-8)
    ratio = np.sqrt(ranges_out / np.where(live, ranges_in, 1))
    return divided(graph, first, second, np.clip(np.where(live, ratio, 1), _LEAST, _MOST))


def divided(graph: Graph, first: Node, second: Node, scale: Floats) -> dict[int, Tensor]:
    """A layer's weights and bias, its output channels divided by `scale`; the weights of the one that reads them."""
    out = cast(Floats, graph.tensors[first.inputs[1]].data)
    scale = scale.astype(np.float32)
    made = {
        first.inputs[1]: out / (scale if is_apart(first) else scale.reshape(-1, *(1,) * (out.ndim - 1))),
        second.inputs[1]: cast(Floats, graph.tensors[second.inputs[1]].data) * scale,
    }
    bias = bias_of(graph, first)
    if bias is not None:
        made[first.inputs[2]] = bias / scale
    return {t: replace(graph.tensors[t], data=data.astype(np.float32)) for t, data in made.items()}


def _output_ranges(node: Node, weights: Floats) -> Floats:
    """The largest weight of every output channel."""
    axis = tuple(range(weights.ndim - 1)) if is_apart(node) else tuple(range(1, weights.ndim))
    return cast(Floats, np.abs(weights).max(axis=axis))


def _input_ranges(node: Node, weights: Floats) -> Floats:
    """The largest weight of every input channel, which is the last dimension of all weights."""
    return cast(Floats, np.abs(weights).max(axis=tuple(range(weights.ndim - 1))))
