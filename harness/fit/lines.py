"""Scales of weights for which requantization is one line in every channel: then shapes alone decide which kernels run.

On cores with the DSP extension a channel behind a ReLU is requantized in two instructions where one line is exact
(harness/kernels/requant_linear.py): nearly always, by chance of its scale. A convolution takes the faster inner kernel
only if all its channels have such a line. Here the scale of a channel without one is moved by some 2**-14 of itself
until it has, which changes an output by less than its own rounding does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.hardware.target import Target
from harness.ir.graph import ABSENT, Graph, Node, Tensor
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs
from harness.kernels.context import Context
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.quantization.fixedpoint import Ints
from harness.quantization.params import channel_params
from harness.quantization.types import DType

STEP = 2.0**-14
"""Of a scale, as a part of it."""

TRIALS = 24
"""Most steps up, and as many down."""


def with_lines(graph: Graph) -> Graph:
    """The graph with such scales; `model` and `sha256` are still those of the graph before.

    Only int8 weights with scales by channel are changed, whose tensors no other node reads.
    """
    tensors = list(graph.tensors)
    for node in graph.nodes:
        if not _may_have_lines(graph, node):
            continue
        x, w, y = (tensors[t] for t in (*node.inputs[:2], node.outputs[0]))
        layer = quantized_layer(Context(replace(graph, tensors=tuple(tensors)), node, Target("host")))
        scales = _lined(layer, x, w, y)
        if scales == w.q.scales:
            continue
        tensors[node.inputs[1]] = replace(w, quant=replace(w.q, scales=scales))
        if len(node.inputs) > 2 and node.inputs[2] != ABSENT:
            bias = tensors[node.inputs[2]]
            products = tuple(float(np.float32(x.q.scale) * np.float32(scale)) for scale in scales)
            if bias.quant is not None:
                bias = replace(bias, quant=replace(bias.quant, scales=products))
            tensors[node.inputs[2]] = bias
    return replace(graph, tensors=tuple(tensors))


def _may_have_lines(graph: Graph, node: Node) -> bool:
    """Whether a node has weights of its own by channel, and its clamp begins at the output's zero point."""
    if not isinstance(node.attrs, ConvAttrs | FullyConnectedAttrs):
        return False
    w, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    own = w.data is not None and len(graph.consumers()[node.inputs[1]]) == 1
    quantized = w.dtype is y.dtype is DType.INT8 and w.quant is not None and w.quant.per_channel
    return own and quantized and y.q.zero_point == node.attrs.clamp[0]


def _lined(layer: QuantizedLayer, x: Tensor, w: Tensor, y: Tensor) -> tuple[float, ...]:
    """The scales: the first by distance from what it is, for each channel, that has a line; as it is where none has."""
    scales = np.array(w.q.scales, np.float32)
    left = np.flatnonzero(~_exact(layer, np.arange(len(scales))))
    for factor in _factors():
        if not left.size:
            break
        trial = scales.copy()
        trial[left] = (scales[left] * np.float32(factor)).astype(np.float32)
        tensor = replace(w, quant=replace(w.q, scales=tuple(map(float, trial))))
        multipliers, shifts = channel_params(x, tensor, y, len(scales))
        found = left[_exact(replace(layer, multipliers=multipliers, shifts=shifts), left)]
        scales[found] = trial[found]
        left = np.setdiff1d(left, found)
    return tuple(map(float, scales))


def _factors() -> Iterator[float]:
    for step in range(1, TRIALS + 1):
        yield 1 + step * STEP
        yield 1 - step * STEP


def _exact(layer: QuantizedLayer, channels: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which of some channels have a line."""
    part = replace(
        layer,
        weights=layer.weights[channels],
        bias=layer.bias[channels],
        multipliers=layer.multipliers[channels],
        shifts=layer.shifts[channels],
        factors=layer.factors[channels],
    )
    return part.linear.exact
