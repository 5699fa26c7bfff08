"""Removes operators whose results are never read, and unused tensors."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import ABSENT, Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import without


def remove_dead(graph: Graph) -> Graph:
    """The graph of what outputs and variables depend on; tensor ids are renumbered."""
    wanted = set(graph.outputs)
    dead: list[int] = []
    for index in reversed(range(len(graph.nodes))):
        node = graph.nodes[index]
        if has(node, Trait.WRITES_STATE) or wanted & set(node.outputs):
            wanted |= set(node.inputs) - {ABSENT}
        else:
            dead.append(index)
    graph = without(graph, dead, "its result is not used")
    used = set(graph.inputs) | set(graph.outputs)
    used |= {t for node in graph.nodes for t in (*node.inputs, *node.outputs)} - {ABSENT}
    new = {old: i for i, old in enumerate(sorted(used))} | {ABSENT: ABSENT}
    nodes = tuple(
        replace(n, inputs=tuple(new[t] for t in n.inputs), outputs=tuple(new[t] for t in n.outputs))
        for n in graph.nodes
    )
    return replace(
        graph,
        tensors=tuple(graph.tensors[t] for t in sorted(used)),
        nodes=nodes,
        inputs=tuple(new[t] for t in graph.inputs),
        outputs=tuple(new[t] for t in graph.outputs),
    )
