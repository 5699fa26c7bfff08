"""Makes every output of the graph the output of a node, so that it has bytes in the arena."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import Graph, NoAttrs, Node, Tensor


def place_outputs(graph: Graph) -> Graph:
    """The graph in which constant outputs are copied at run time, by a RESHAPE to their own shape."""
    tensors: list[Tensor] = list(graph.tensors)
    nodes = list(graph.nodes)
    outputs = []
    for t in graph.outputs:
        if graph.tensors[t].data is not None:
            tensors.append(replace(graph.tensors[t], data=None))
            nodes.append(Node("RESHAPE", (t,), (len(tensors) - 1,), NoAttrs()))
            t = len(tensors) - 1
        outputs.append(t)
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes), outputs=tuple(outputs))
