"""Moves assignments of variables behind the last use of their old values, so that these are read in place."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.aliases import last_use
from harness.ir.graph import Graph
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.ir.operators.variables import VariableAttrs


def delay_assignments(graph: Graph) -> Graph:
    """Moves each assignment behind the last operator that reads the variable's old value.

    It never moves beyond the next operator that reads or assigns the variable.
    """
    nodes = list(graph.nodes)
    for node in [n for n in nodes if has(n, Trait.WRITES_STATE)]:
        here = nodes.index(node)
        now = replace(graph, nodes=tuple(nodes))
        state = node.attrs.state if isinstance(node.attrs, VariableAttrs) else -1
        read = [n.outputs[0] for n in nodes[:here] if has(n, Trait.READS_STATE) and n.attrs == node.attrs]
        behind = max((last_use(now, t, state) for t in read), default=here)
        ends = [i for i, n in enumerate(nodes) if i > here and n.attrs == node.attrs]
        behind = min(behind, *(i - 1 for i in ends), len(nodes) - 1)
        if behind > here:
            nodes.insert(behind + 1, node)
            del nodes[here]
    return replace(graph, nodes=tuple(nodes))
