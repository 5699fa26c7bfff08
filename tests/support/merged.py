"""Several graphs as one, side by side: many small graphs cost less together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.ir.graph import ABSENT, Graph
from tests.support.draft import Draft


def side_by_side(graphs: Sequence[Graph], each: int) -> list[Graph]:
    """The graphs, `each` of them in one."""
    groups = [graphs[start : start + each] for start in range(0, len(graphs), each)]
    return [merged(group[0].name, group) for group in groups]


def merged(name: str, graphs: Sequence[Graph]) -> Graph:
    """A graph with the nodes, inputs, outputs and states of all."""
    draft = Draft(np.random.default_rng(0))
    outputs: list[int] = []
    for graph in graphs:
        first, state = len(draft.tensors), len(draft.states)

        def moved(ids: Sequence[int], first: int = first) -> tuple[int, ...]:
            return tuple(t if t == ABSENT else t + first for t in ids)

        for t in graph.tensors:
            index = len(draft.tensors)
            draft.tensors.append(replace(t, name=f"t{index}", source=index))
        draft.states += [replace(s, name=f"s{state + i}/{s.name.split('/')[-1]}") for i, s in enumerate(graph.states)]
        draft.inputs += moved(graph.inputs)
        outputs += moved(graph.outputs)
        for node in graph.nodes:
            states = tuple(i + state for i in node.states)
            draft.node(node.op, moved(node.inputs), moved(node.outputs), node.attrs, states)
    return draft.finish(name, tuple(outputs))
