"""Multiply-accumulates of a node, counted as the field does: padding included, bias and requantization not."""

from __future__ import annotations

from harness.ir.graph import Graph, Node
from harness.ir.operators import operator_of


def macs(graph: Graph, node: Node) -> int:
    """MACs of a layer with weights; of IF and WHILE those of the larger graph, once; 0 for every other operator."""
    within = (sum(macs(body, each) for each in body.nodes) for body in node.attrs.graphs)
    return operator_of(node).macs(graph, node) + max(within, default=0)
