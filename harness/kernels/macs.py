"""Multiply-accumulates of a node, counted as the field does: padding included, bias and requantization not."""

from __future__ import annotations

from harness.ir.graph import Graph, Node


def macs(graph: Graph, node: Node) -> int:
    """MACs of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED; 0 for every other operator."""
    if node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return 0
    w, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    if node.op == "CONV_2D":
        return y.elements * w.shape[1] * w.shape[2] * w.shape[3]
    if node.op == "DEPTHWISE_CONV_2D":
        return y.elements * w.shape[1] * w.shape[2]
    return y.elements * w.shape[1]
