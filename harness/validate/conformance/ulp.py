"""Whether float results are as near to a reference as their operators state (Operator.ulp)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.ir.graph import Graph, Node
from harness.ir.interpreter import compute
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array


def largest_ulp(graph: Graph) -> int:
    """The largest Operator.ulp of the nodes that compute floats; 0 where all results are the same bits as TFLM's."""
    return max((_allowed(graph, node) for node in graph.nodes), default=0)


def _allowed(graph: Graph, node: Node) -> int:
    floats = all(graph.tensors[t].dtype.value == "float32" for t in node.outputs)
    return operator_of(node).ulp if node.outputs and floats else 0


def distance(ours: Array, theirs: Array) -> int:
    """Units in the last place between floats, the most of all elements; of other types 0, or 2**32 if they differ."""
    if ours.dtype != np.float32 or theirs.dtype != np.float32:
        return 0 if np.array_equal(ours, theirs) else 1 << 32
    both_nan = np.isnan(ours) & np.isnan(theirs)
    steps = np.abs(_ordered(ours) - _ordered(theirs))
    return int(np.where(both_nan, 0, steps).max(initial=0))


def _ordered(values: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Integers in the order of the floats, one apart where floats are neighbours."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(1 << 31) - bits, bits)


def first_beyond(graph: Graph, tensors: Sequence[Mapping[int, Array]]) -> Node | None:
    """The first node whose specification is further from a reference than its operator says; None where none is.

    Every node is computed from the reference's own inputs of it, so that distances do not add up from layer to layer.

    Args:
        graph: as a frontend gives it.
        tensors: [vector], a sequence from initial states: the reference's tensors by Tensor.source.
    """
    held = [state.initial for state in graph.states]
    for known in tensors:
        values = {i: known[t.source] for i, t in enumerate(graph.tensors) if t.source is not None and t.source in known}
        for node in graph.nodes:
            varying = [t for t in node.inputs if t >= 0 and graph.tensors[t].data is None]
            if any(t not in values for t in (*varying, *node.outputs)):
                return node  # the reference does not keep it: nothing is proved
            shaped = {t: values[t].reshape(graph.tensors[t].shape) for t in varying}
            made = compute(graph, node, shaped, held=held)
            if has(node, Trait.WRITES_STATE):
                for number, after in zip(node.states, made[len(node.outputs) :], strict=True):
                    held[number] = after
            for t, ours in zip(node.outputs, made, strict=False):
                if distance(ours, values[t].reshape(ours.shape)) > _allowed(graph, node):
                    return node
    return None
