"""Removes operators whose output equals their input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, NoAttrs, Node
from harness.ir.operators import has, operator_of
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import without


def _gives_back(graph: Graph, node: Node) -> bool:
    """Whether a node's output has its input's bytes, perhaps under another shape."""
    operator = operator_of(node)
    return _is_identity(graph, node) if operator.has(Trait.BYTE_FUNCTION) else operator.changes_nothing(graph, node)


def _is_identity(graph: Graph, node: Node) -> bool:
    """Whether a function of one byte is the identity on every value."""
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if x.dtype is not y.dtype or x.dtype not in EIGHT_BITS:
        return False
    low, high = x.dtype.range
    return bool(np.array_equal(operator_of(node).byte_table(x, y, node.attrs), np.arange(low, high + 1)))


def remove_noops(graph: Graph) -> Graph:
    """The graph without identities; those that change the shape become a RESHAPE."""
    gone: list[int] = []
    nodes: list[Node] = []
    instead: dict[int, int] = {}  # tensor that an identity gave -> the one that is used now
    fixed, outputs = set(graph.inputs), set(graph.outputs)
    for index, node in enumerate(graph.nodes):
        if not instead.keys().isdisjoint(node.inputs):
            node = replace(node, inputs=tuple(instead.get(t, t) for t in node.inputs))
        nodes.append(node)
        if not _gives_back(graph, node):
            continue
        x, y = node.inputs[0], node.outputs[0]
        same_type = (
            graph.tensors[x].shape == graph.tensors[y].shape and graph.tensors[x].quant == graph.tensors[y].quant
        )
        is_output = y in outputs
        placed = x in graph.places() or y in graph.places()
        if placed or not same_type or (is_output and (x in fixed or x in outputs or graph.tensors[x].data is not None)):
            if not has(node, Trait.SAME_BYTES):
                nodes[-1] = replace(node, op="RESHAPE", attrs=NoAttrs())
            continue
        if is_output:
            outputs.remove(y)
            outputs.add(x)
        instead[y] = x
        gone.append(index)
    renamed = replace(graph, nodes=tuple(nodes), outputs=tuple(instead.get(t, t) for t in graph.outputs))
    return without(renamed, gone, "gives back its input")
