"""Weights and bias of a layer, by output channel."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators import operator_of
from harness.quantization.fixedpoint import Ints


def channel_weights(graph: Graph, node: Node) -> Ints:
    """int64 [output channels, taps]: a channel's taps by rows, columns and input channels."""
    data = graph.tensors[node.inputs[1]].data
    assert data is not None, "the verifier requires constant weights"
    axis = operator_of(node).channel_axis
    assert axis is not None, "operators with weights say where their channels are"
    return np.moveaxis(data.astype(np.int64), axis, 0).reshape(data.shape[axis], -1)


def channel_bias(graph: Graph, node: Node) -> Ints:
    """int64 [output channels]: the bias, zeros where the layer has none."""
    if len(node.inputs) < 3 or node.inputs[2] == ABSENT:
        shape = graph.tensors[node.outputs[0]].shape
        return np.zeros(shape[-1], np.int64)
    data = graph.tensors[node.inputs[2]].data
    assert data is not None, "the verifier requires constant biases"
    return data.astype(np.int64)
