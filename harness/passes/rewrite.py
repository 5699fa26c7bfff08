"""Changed copies of a frozen Graph, for passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

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
