"""The float network that is quantized: checked, constants folded, and no constant read by two layers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from harness.errors import UnsupportedModelError
from harness.ir.graph import ABSENT, Graph, NoAttrs, Node, Tensor
from harness.ir.operators import operator_of
from harness.ir.operators.lstm import LstmAttrs
from harness.ir.operators.operator import Types
from harness.ir.operators.svdf import SvdfAttrs
from harness.ir.operators.traits import Trait
from harness.passes.fold_constants import fold_constants
from harness.passes.remove_dead import remove_dead
from harness.quantization.types import DType

FLOAT = DType.FLOAT32


@dataclass(frozen=True)
class Roles:
    """Tensors of a node by what quantization does with them.

    Attributes:
        data: float activations, and float constants that are no weights, that it reads.
        weights, bias: None where it has none.
        held: weights and biases of a layer that keeps a state.
        made: float activations that it writes.
    """

    data: tuple[int, ...]
    weights: int | None
    bias: int | None
    made: tuple[int, ...]
    held: tuple[int, ...] = ()


def keeps_state(node: Node) -> bool:
    """Whether a node is a layer with a state of its own that is quantized."""
    return isinstance(node.attrs, LstmAttrs | SvdfAttrs)


def roles(graph: Graph, node: Node) -> Roles:
    """The tensors of a node."""
    operator = operator_of(node)
    there = [t for t in operator.data_inputs(node) if t != ABSENT and graph.tensors[t].dtype is FLOAT]
    own = node.inputs[1:] if operator.has(Trait.WEIGHTS) else ()
    weights, bias = ([t if t != ABSENT else None for t in own] + [None, None])[:2]
    made = tuple(t for t in node.outputs if graph.tensors[t].dtype is FLOAT)
    if keeps_state(node):
        return Roles(tuple(there[:1]), None, None, made, tuple(there[1:]))
    return Roles(tuple(dict.fromkeys(there)), weights, bias, made)


def prepared(graph: Graph) -> Graph:
    """A float network ready to be quantized.

    Raises:
        UnsupportedModelError: it has no float input, is quantized already, or has operators with states or graphs.
    """
    graph = _compact(remove_dead(fold_constants(graph)))
    if not any(graph.tensors[t].dtype is FLOAT for t in graph.inputs):
        kinds = ", ".join(sorted({graph.tensors[t].dtype.value for t in graph.inputs}))
        raise UnsupportedModelError(
            f"model '{graph.name}' has inputs of {kinds or 'no kind'}, nothing of float32 to quantize",
            hint="give the float model, before it was quantized",
        )
    without: Counter[str] = Counter()
    for node in graph.nodes:
        if node.attrs.graphs or (operator_of(node).stateful and not keeps_state(node)):
            without[f"{node.op} (keeps a state or runs graphs)"] += 1
    if without:
        listed = ", ".join(f"{op} x{count}" for op, count in sorted(without.items()))
        raise UnsupportedModelError(
            f"model '{graph.name}' has operators that are not quantized: {listed}",
            hint="do their work before or behind the network",
        )
    return _unshared(graph)


def quantized_types(types: Types, activations: DType) -> Types:
    """The combination of types that a float one becomes."""
    bias = DType.INT64 if activations is DType.INT16 else DType.INT32

    return replace(
        types,
        x=activations if types.x is FLOAT else types.x,
        y=activations if types.y is FLOAT else types.y,
        weights=DType.INT8 if types.weights is FLOAT else types.weights,
        bias=bias if types.bias is FLOAT else types.bias,
    )


def has_form(graph: Graph, node: Node, activations: DType) -> bool:
    """Whether a float node can be computed with such activations, or has nothing of float."""
    operator = operator_of(node)
    types = operator.types_of(graph, node)
    if types is None or FLOAT not in (types.x, types.y):
        return types is not None
    if types.states:
        return integer_states(graph, node, activations) is not None
    return types.free or quantized_types(types, activations) in operator.types


def integer_states(graph: Graph, node: Node, activations: DType) -> tuple[DType, ...] | None:
    """Types of the states of a node that keeps some, with such activations; None where it has no such form."""
    rows = (row for row in operator_of(node).types if (row.x, row.y) == (activations, activations))
    return next((row.states for row in rows), None)


def _unshared(graph: Graph) -> Graph:
    """Every node reads float constants of its own: their scales depend on where they are read."""
    tensors = list(graph.tensors)
    nodes, taken = [], set()
    for node in graph.nodes:
        inputs = list(node.inputs)
        for place, t in enumerate(inputs):
            if t == ABSENT or tensors[t].data is None or tensors[t].dtype is not FLOAT:
                continue
            if t in taken:
                tensors.append(replace(tensors[t], name=f"{tensors[t].name}/{len(tensors)}", source=None))
                inputs[place] = len(tensors) - 1
            taken.add(inputs[place])
        nodes.append(replace(node, inputs=tuple(inputs)))
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))


def _compact(graph: Graph) -> Graph:
    """The graph without tensors that nothing reads or writes."""
    used = {*graph.inputs, *graph.outputs, *(t for node in graph.nodes for t in (*node.inputs, *node.outputs))}
    kept = sorted(used - {ABSENT})
    number = {old: new for new, old in enumerate(kept)} | {ABSENT: ABSENT}

    def moved(ids: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(number[t] for t in ids)

    return replace(
        graph,
        tensors=tuple(graph.tensors[t] for t in kept),
        nodes=tuple(replace(node, inputs=moved(node.inputs), outputs=moved(node.outputs)) for node in graph.nodes),
        inputs=moved(graph.inputs),
        outputs=moved(graph.outputs),
    )


def requantized_copy(graph: Graph, tensor: int, readers: set[int], op: str = "QUANTIZE") -> Graph:
    """The graph in which the nodes `readers` read a copy of a tensor, the last one, of another scale or type.

    `op` makes it: QUANTIZE, or DEQUANTIZE for float32.
    """
    source = graph.tensors[tensor]
    copy = len(graph.tensors)
    made = Tensor(f"{source.name}/rescaled", source.shape, source.dtype)
    producer = graph.producers().get(tensor)
    quantize = Node(op, (tensor,), (copy,), NoAttrs())
    nodes = [quantize] if producer is None else []
    for index, node in enumerate(graph.nodes):
        inputs = tuple(copy if t == tensor and index in readers else t for t in node.inputs)
        nodes.append(replace(node, inputs=inputs))
        if index == producer:
            nodes.append(quantize)
    return replace(graph, tensors=(*graph.tensors, made), nodes=tuple(nodes))
