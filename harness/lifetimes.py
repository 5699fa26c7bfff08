"""Which tensors share bytes, and from which layer to which each must be kept.

Tensors that hold the same bytes (a RESHAPE, a variable read and not yet assigned) are views of one value. A value that
a layer may compute over one of its inputs can be put at that input's place: it then has the same offset, not the same
size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.graph import ABSENT, Graph, Node, VariableAttrs
from harness.kernels.base import Context, Kernel, Lowered

VIEWS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


@dataclass(frozen=True)
class Value:
    """Bytes that must be kept from layer `first` to layer `last` (-1: before the first, len(layers): to the end).

    Attributes:
        tensors: tensor ids that are views of it; empty for scratch.
        state: index of the variable that it is, or None.
        over: index of the value at whose offset this one is computed, or None.
    """

    name: str
    size: int
    first: int
    last: int
    tensors: tuple[int, ...] = ()
    state: int | None = None
    over: int | None = None


@dataclass(frozen=True)
class Step:
    """A layer before placement: the node, its kernel and what that lowers to."""

    node: Node
    kernel: Kernel
    context: Context
    lowered: Lowered


def view_sources(graph: Graph) -> dict[int, int | str]:
    """Tensors that need no bytes of their own: tensor id -> tensor id it is a view of, or "state N".

    A variable's value may be read in place when nothing assigns it before the last use of what was read.
    """
    views: dict[int, int | str] = {}
    for index, node in enumerate(graph.nodes):
        if node.op in VIEWS and graph.tensors[node.inputs[0]].data is None:
            views[node.outputs[0]] = node.inputs[0]
        elif isinstance(node.attrs, VariableAttrs) and _readable_in_place(graph, index, node.attrs.state):
            views[node.outputs[0]] = f"state {node.attrs.state}"
    return views


def _readable_in_place(graph: Graph, index: int, state: int) -> bool:
    node = graph.nodes[index]
    return node.op == "READ_VARIABLE" and _last_use(graph, node.outputs[0]) < _next_assignment(graph, state, index)


def _last_use(graph: Graph, tensor: int) -> int:
    """Index of the last node that reads `tensor` or a view of it; len(nodes) for an output."""
    if tensor in graph.outputs:
        return len(graph.nodes)
    last = -1
    for index in graph.consumers().get(tensor, []):
        node = graph.nodes[index]
        last = max(last, index, _last_use(graph, node.outputs[0]) if node.op in VIEWS else index)
    return last


def _next_assignment(graph: Graph, state: int, after: int) -> int:
    for index in range(after + 1, len(graph.nodes)):
        attrs = graph.nodes[index].attrs
        if graph.nodes[index].op == "ASSIGN_VARIABLE" and isinstance(attrs, VariableAttrs) and attrs.state == state:
            return index
    return len(graph.nodes)


def root(views: Mapping[int, int | str], tensor: int) -> int | str:
    """The tensor, or the state, whose bytes `tensor` is a view of."""
    found: int | str = tensor
    while isinstance(found, int) and found in views:
        found = views[found]
    return found


def values_of(graph: Graph, steps: Sequence[Step], *, in_place: bool = True) -> list[Value]:
    """Every value of the network with its lifetime, scratch included; in execution order.

    With in_place False no value is computed over another: their sum per layer is the liveness bound.
    """
    views = view_sources(graph)
    end = len(steps)
    order: list[int | str] = [f"state {i}" for i in range(len(graph.states))]
    first: dict[int | str, int] = dict.fromkeys(order, -1)
    last: dict[int | str, int] = dict.fromkeys(order, end)
    members: dict[int | str, list[int]] = {}

    def touch(tensor: int, layer: int) -> None:
        if tensor == ABSENT or graph.tensors[tensor].data is not None:
            return
        key = root(views, tensor)
        if key not in first:
            first[key] = last[key] = layer
            order.append(key)
        last[key] = max(last[key], layer)
        if tensor not in members.setdefault(key, []):
            members[key].append(tensor)

    for tensor in graph.inputs:
        touch(tensor, -1)
    layer_of = {id(step.node): i for i, step in enumerate(steps)}
    scratch: list[Value] = []
    over: dict[int | str, int | str] = {}
    for node in graph.nodes:
        layer = layer_of.get(id(node))
        if layer is None:
            # A view: its tensors join their root's, at no layer of their own.
            for tensor in node.outputs:
                touch(tensor, first[root(views, tensor)])
            continue
        for tensor in (*node.inputs, *node.outputs):
            touch(tensor, layer)
        size = steps[layer].lowered.scratch
        if size:
            scratch.append(Value(f"scratch of layer {layer}", size, layer, layer))
    for tensor in graph.outputs:
        touch(tensor, end)
    if in_place:
        for layer, step in enumerate(steps):
            over.update(_overlaid(graph, views, step, layer, last))
    position = {key: i for i, key in enumerate(order)}
    values = [_value(graph, key, first[key], last[key], members.get(key, []), position, over) for key in order]
    return values + scratch


def _overlaid(
    graph: Graph, views: Mapping[int, int | str], step: Step, layer: int, last: Mapping[int | str, int]
) -> dict[int | str, int | str]:
    """The output of a layer over the first input that nobody needs afterwards, where the kernel allows."""
    if len(step.node.outputs) != 1:
        return {}
    target = root(views, step.node.outputs[0])
    for position in step.kernel.overwritable(step.context):
        tensor = step.node.inputs[position]
        if graph.tensors[tensor].data is not None:
            continue
        source = root(views, tensor)
        if isinstance(source, int) and last[source] == layer and source != target:
            return {target: source}
    return {}


def _value(
    graph: Graph,
    key: int | str,
    first: int,
    last: int,
    tensors: Sequence[int],
    position: Mapping[int | str, int],
    over: Mapping[int | str, int | str],
) -> Value:
    if isinstance(key, str):
        number = int(key.split()[1])
        state = graph.states[number]
        return Value(state.name, state.bytes, first, last, tuple(tensors), number)
    source = over.get(key)
    tensor = graph.tensors[key]
    return Value(
        tensor.name, tensor.bytes, first, last, tuple(tensors), None, None if source is None else position[source]
    )


def liveness_bound(values: Sequence[Value], end: int) -> int:
    """Bytes alive at once at the worst moment: no placement without in-place computation needs less."""
    return max((sum(v.size for v in values if v.first <= t <= v.last) for t in range(-1, end + 1)), default=0)
