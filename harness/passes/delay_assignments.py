"""Moves assignments of variables behind the last use of their old values, so that these are read in place."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.aliases import assigns, last_use
from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait


def delay_assignments(graph: Graph) -> Graph:
    """Moves each assignment behind the last operator that reads the variable's old value.

    It never moves beyond the next operator that reads or changes the variable.
    """
    nodes = list(graph.nodes)
    for node in [n for n in nodes if assigns(n) and n.inputs[0] not in graph.places()]:
        here = nodes.index(node)
        now = replace(graph, nodes=tuple(nodes))
        (state,) = node.states
        earlier = [n for n in nodes[:here] if n.states == node.states and has(n, Trait.COPIES_STATE)]
        read = [n.outputs[0] for n in earlier if has(n, Trait.READS_STATE)]
        behind = max((last_use(now, t) for t in read), default=here)
        ends = [i for i, n in enumerate(nodes) if i > here and state in n.states]
        behind = min(behind, *(i - 1 for i in ends), len(nodes) - 1)
        if behind > here:
            nodes.insert(behind + 1, node)
            del nodes[here]
    return replace(graph, nodes=tuple(nodes))
