"""Whether every operator of a model is as near to a reference as it states (Operator.ulp), from the same inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.ir.graph import Graph, Node
from harness.ir.interpreter import compute
from harness.ir.operators import has, operator_of
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array, DType
from harness.validate.rounding import EXACT, Allowance, allowance_of


def largest_ulp(graph: Graph) -> int:
    """The largest Operator.ulp of the nodes that compute floats; 0 where all results are the same bits as TFLM's."""
    return max((_allowed(graph, node).ulp for node in graph.nodes), default=0)


def _allowed(graph: Graph, node: Node) -> Allowance:
    floats = all(graph.tensors[t].dtype is DType.FLOAT32 for t in node.outputs)
    return allowance_of(operator_of(node)) if floats else EXACT


def first_beyond(graph: Graph, tensors: Sequence[Mapping[int, Array]]) -> Node | None:
    """The first node whose specification is further from a reference than its operator states; None where none is.

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
            allowed = _allowed(graph, node)
            for t, ours in zip(node.outputs, made, strict=False):
                if not allowed.covers(values[t].reshape(ours.shape), ours).all():
                    return node
    return None
