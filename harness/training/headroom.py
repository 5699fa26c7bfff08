"""Channels whose sums are scaled by so much that no line requantizes them, made smaller before quantization.

A line holds scales below 1/4 (harness/kernels/requant_linear.py): its multiplier has 31 bits. Behind a ReLU a channel
that is divided by a factor, with the weights that read it multiplied by it, is the same function (Nagel et al. 2019,
section 4.1); its sums are scaled by so much less.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.compression.stacks import is_matrix
from harness.ir.graph import Graph
from harness.passes.rewrite import with_tensors
from harness.ptq.equalise import divided, layer_before
from harness.quantization.params import channel_factors

MOST = 0.249
"""What sums are scaled by at most."""


def with_headroom(graph: Graph, quantized: Graph) -> Graph:
    """The float graph with smaller channels where its quantized form scales sums by more than MOST.

    Channels stay as they are where something else than one layer with weights reads them, or the activation is no
    ReLU.

    Args:
        graph: float32; tensors have names of their own.
        quantized: the same network in int8, with the same names.
    """
    scales = _factors(quantized)
    for second in graph.nodes:
        first = layer_before(graph, second)
        factors = None if first is None else scales.get(graph.tensors[first.outputs[0]].name)
        if first is None or factors is None or not (factors > 1).any():
            continue
        if graph.tensors[second.inputs[1]].shape[-1] == len(factors):  # no groups, multipliers, rows of several pixels
            graph = with_tensors(graph, divided(graph, first, second, factors))
    return graph


def _factors(quantized: Graph) -> dict[str, npt.NDArray[np.float32]]:
    """Per name of a layer's output behind a ReLU, by how much each channel is too large; 1 where it is not."""
    found = {}
    for node in quantized.nodes:
        if not is_matrix(quantized, node):
            continue
        x, w, y = (quantized.tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
        behind_relu = y.quant is not None and node.attrs.clamp[0] == y.q.zero_point  # type: ignore[attr-defined]
        if w.quant is not None and behind_relu:
            scales = np.asarray(channel_factors(x, w, y, y.shape[-1]), np.float32)
            found[y.name] = np.maximum(scales / np.float32(MOST), np.float32(1))
    return found
