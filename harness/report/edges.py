"""The network's edges between layers, from a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.compiler.plan import Plan


def reads_from(plan: Plan) -> list[list[int]]:
    """For each layer the layers whose outputs it reads, in order; -1 for an input of the model.

    Operators without a layer (the same bytes under another shape) are looked through. States are not edges.
    """
    graph = plan.graph
    makers = {tensor: layer.index for layer in plan.layers for tensor in layer.outputs}
    makers |= {tensor: -1 for tensor in graph.inputs}
    inputs = {tensor: node.inputs for node in graph.nodes for tensor in node.outputs}
    return [
        sorted(index for index in _origins(step.reads, makers, inputs) if index < layer.index)
        for layer, step in zip(plan.layers, plan.steps, strict=True)
    ]


def _origins(tensors: Sequence[int], makers: Mapping[int, int], inputs: Mapping[int, Sequence[int]]) -> set[int]:
    """The makers of `tensors`, found through operators that no layer computes; a constant has none."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        if tensor in makers:
            found.add(makers[tensor])
        else:
            waiting += inputs.get(tensor, ())
    return found
