"""Constant folding by the executable specification."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import ABSENT, Graph
from harness.ir.interpreter import compute
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_tensors, without


def fold_constants(graph: Graph) -> Graph:
    """Replaces nodes that only constants, or only shapes, decide by their values."""
    folded: list[int] = []
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        operands = [t for t in node.inputs if t != ABSENT]
        known = has(node, Trait.OF_SHAPE) or all(graph.tensors[t].data is not None for t in operands)
        if operator_of(node).stateful or not known:
            continue
        values = compute(graph, node)
        made = {t: replace(graph.tensors[t], data=v) for t, v in zip(node.outputs, values, strict=True)}
        graph = with_tensors(graph, made)
        folded.append(index)
    return without(graph, folded, "constant, computed at compile time")
