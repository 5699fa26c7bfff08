"""Constant folding by the executable specification."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import ABSENT, Graph
from harness.ir.interpreter import run
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_tensors, without


def fold_constants(graph: Graph) -> Graph:
    """Replaces nodes whose operands are all constant by their values."""
    folded: list[int] = []
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        operands = [t for t in node.inputs if t != ABSENT]
        stateful = has(node, Trait.READS_STATE) or has(node, Trait.WRITES_STATE)
        if stateful or any(graph.tensors[t].data is None for t in operands):
            continue
        alone = replace(graph, nodes=(node,), inputs=(), outputs=node.outputs, states=())
        values = run(alone, []).outputs
        made = {t: replace(graph.tensors[t], data=v) for t, v in zip(node.outputs, values, strict=True)}
        graph = with_tensors(graph, made)
        folded.append(index)
    return without(graph, folded, "constant, computed at compile time")
