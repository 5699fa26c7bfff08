"""Channels whose sums are scaled by so much that no line requantizes them, made smaller before quantization.

A line holds scales below 1/4 (harness/kernels/requant_linear.py): its multiplier has 31 bits. Behind a ReLU a channel
that is divided by a factor, with the weights that read it multiplied by it, is the same function (Nagel et al. 2019,
section 4.1); its sums are scaled by so much less.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.stacks import Floats, bias_of, is_apart, is_matrix
from harness.ir.graph import Graph, Node, Tensor
from harness.passes.rewrite import with_tensors
from harness.quantization.params import channel_factors

MOST = 0.249
"""What sums are scaled by at most."""

_UNLIMITED = 1e30
"""A float clamp beyond this is none."""


def with_headroom(graph: Graph, quantized: Graph) -> Graph:
    """The float graph with smaller channels where its quantized form scales sums by more than MOST.

    Channels stay as they are where something else than one layer with weights reads them, or the activation is no
    ReLU.

    Args:
        graph: float32; tensors have names of their own.
        quantized: the same network in int8, with the same names.
    """
    made: dict[int, Tensor] = {}
    scales = _factors(quantized)
    for number, first in enumerate(graph.nodes):
        factors = scales.get(graph.tensors[first.outputs[0]].name) if is_matrix(graph, first) else None
        second = _reader(graph, number)
        if factors is not None and second is not None and (factors > 1).any():
            made |= _divided(graph, first, second, factors.astype(np.float32))
    return with_tensors(graph, made) if made else graph


def _factors(quantized: Graph) -> dict[str, npt.NDArray[np.float64]]:
    """Per name of a layer's output, by how much each of its channels is too large; 1 where it is not."""
    found = {}
    for node in quantized.nodes:
        if not is_matrix(quantized, node):
            continue
        x, w, y = (quantized.tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
        if w.quant is not None and y.quant is not None:
            scales = np.asarray(channel_factors(x, w, y, y.shape[-1]), np.float64)
            found[y.name] = np.maximum(scales / MOST, 1.0)
    return found


def _reader(graph: Graph, number: int) -> Node | None:
    """The one layer with weights that reads a layer's output behind a ReLU."""
    first = graph.nodes[number]
    output = first.outputs[0]
    readers = graph.consumers().get(output, ())
    if not is_matrix(graph, first) or output in graph.outputs or len(readers) != 1:
        return None
    low, high = first.attrs.clamp  # type: ignore[attr-defined]
    second = graph.nodes[next(iter(readers))]
    fits = is_matrix(graph, second) and second.inputs[0] == output and low == 0 and high > _UNLIMITED
    return second if fits else None


def _divided(graph: Graph, first: Node, second: Node, factors: npt.NDArray[np.float32]) -> dict[int, Tensor]:
    out = cast(Floats, graph.tensors[first.inputs[1]].data)
    into = cast(Floats, graph.tensors[second.inputs[1]].data)
    if into.shape[-1] != len(factors):  # groups, multipliers, rows of several pixels
        return {}
    values = {
        first.inputs[1]: out / (factors if is_apart(first) else factors.reshape(-1, *(1,) * (out.ndim - 1))),
        second.inputs[1]: into * factors,
    }
    bias = bias_of(graph, first)
    if bias is not None:
        values[first.inputs[2]] = bias / factors
    return {t: replace(graph.tensors[t], data=data.astype(np.float32)) for t, data in values.items()}
