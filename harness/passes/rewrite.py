"""Changed copies of a frozen Graph, for passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, Node, Tensor


def without(graph: Graph, indices: Iterable[int], why: str) -> Graph:
    """The graph without the nodes `indices`; their operators are recorded as removed for the reason `why`."""
    gone = set(indices)
    noted = tuple((source, why) for i in sorted(gone) for source in graph.nodes[i].sources)
    nodes = tuple(node for i, node in enumerate(graph.nodes) if i not in gone)
    return replace(graph, nodes=nodes, removed=graph.removed + noted)


def with_node(graph: Graph, index: int, node: Node) -> Graph:
    """The graph with node `index` replaced."""
    return replace(graph, nodes=graph.nodes[:index] + (node,) + graph.nodes[index + 1 :])


def with_channels_along(graph: Graph, index: int, op: str, axis: int) -> Graph:
    """The graph with a convolution computed as `op`, whose weights have the output channels along `axis`, 0 or 3.

    Its constant weights have one channel along the other of the two: just their layout changes.
    """
    node = graph.nodes[index]
    weights = graph.tensors[node.inputs[1]]
    assert weights.data is not None
    data = np.ascontiguousarray(weights.data.transpose(3, 1, 2, 0))
    data.setflags(write=False)
    quant = weights.quant
    if quant is not None and quant.axis is not None:
        quant = replace(quant, axis=axis)
    moved = replace(weights, shape=data.shape, data=data, quant=quant, source=None)
    inputs = (node.inputs[0], len(graph.tensors), *node.inputs[2:])
    graph = replace(graph, tensors=(*graph.tensors, moved))
    return with_node(graph, index, replace(node, op=op, inputs=inputs))


def with_tensors(graph: Graph, tensors: Mapping[int, Tensor]) -> Graph:
    """The graph with some tensors replaced."""
    changed = list(graph.tensors)
    for index, tensor in tensors.items():
        changed[index] = tensor
    return replace(graph, tensors=tuple(changed))


def only_consumer(graph: Graph, tensor: int) -> int | None:
    """Index of the only node that reads `tensor`; None if there is not exactly one, or it is an output of the graph."""
    readers = graph.consumers().get(tensor, [])
    return readers[0] if len(readers) == 1 and tensor not in graph.outputs else None
