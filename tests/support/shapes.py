"""What is left of a graph when its file is read: shapes, and what follows from them, are computed then."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import Graph
from harness.ir.interpreter import compute
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.quantization.types import DType

_NUMBERS = (DType.INT32, DType.INT64, DType.BOOL)


def without_shapes(graph: Graph) -> Graph:
    """The graph with the outputs of such operators as constants."""
    tensors, nodes = list(graph.tensors), []
    for node in graph.nodes:
        known = has(node, Trait.OF_SHAPE) or all(t < 0 or tensors[t].data is not None for t in node.inputs)
        stays = operator_of(node).stateful or any(tensors[t].dtype not in _NUMBERS for t in node.outputs)
        if stays or not known or not node.outputs:
            nodes.append(node)
            continue
        values = compute(replace(graph, tensors=tuple(tensors)), node)
        for t, made in zip(node.outputs, values, strict=True):
            tensors[t] = replace(tensors[t], data=made)
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))
