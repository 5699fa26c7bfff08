"""Verifier: the rules that every Graph keeps, after import and after every pass.

Structure (ids, order, one writer a tensor), then per operator shapes, element types, quantization and value bounds
(harness/ir/operators). The rules are those under which TFLM computes a defined result; where it would abort, shift by a
negative amount or overflow 32 bits, the graph is refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from harness.errors import GraphError
from harness.ir.graph import ABSENT, Graph, Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator
from harness.ir.operators.view import View, error
from harness.quantization.types import DType, Rounding

MAX_TENSOR_BYTES = 1 << 24
"""Largest tensor or state in bytes: more than a board's memory, and little enough for the host."""

_MAX_RANK = 8


def verify(graph: Graph) -> None:
    """Checks a Graph.

    Raises:
        GraphError: naming the node, the tensor and the rule that it breaks.
    """
    for tensor in graph.tensors:
        _tensor(tensor)
    _structure(graph)
    for state in graph.states:
        shape = state.initial.shape
        if state.initial.dtype != state.dtype.numpy or 0 in shape or state.bytes > MAX_TENSOR_BYTES:
            raise error(f"state '{state.name}' of shape {list(shape)} and type {state.initial.dtype}")
        low, high = state.dtype.range
        if state.quant is not None and not all(low <= z <= high for z in state.quant.zero_points):
            raise error(f"state '{state.name}' has a zero point outside {state.dtype.value}")
    for i in range(len(graph.nodes)):
        verify_node(graph, i)


def verify_node(graph: Graph, index: int) -> None:
    """Checks one node, whose tensors are there.

    Raises:
        GraphError: naming the node, the tensor and the rule that it breaks.
    """
    node = graph.nodes[index]
    view = View(graph, index, node)
    if node.op not in OPERATORS:
        raise view.error("is an operator that tinyhil does not know")
    operator = OPERATORS[node.op]
    _operands(view, operator)
    _states(view, operator)
    _types(view, operator)
    _rounding(view, operator)
    for within in node.attrs.graphs:
        view.need(not within.states, f"has states within '{within.name}', which keeps none")
        try:
            verify(within)
        except GraphError as found:
            raise view.error(f"runs '{within.name}': {found.message}", found.hint) from None
    operator.verify(view)


def _operands(view: View, operator: Operator) -> None:
    """Checks the class of the attributes, the numbers of operands, and that only optional inputs are absent."""
    node = view.node
    if not isinstance(node.attrs, operator.attrs):
        raise view.error(f"has {type(node.attrs).__name__} instead of {operator.attrs.__name__}")
    (fewest, most), (least, largest) = operator.inputs, operator.outputs
    if not fewest <= len(node.inputs) <= most or not least <= len(node.outputs) <= largest:
        raise view.error(f"has {len(node.inputs)} inputs and {len(node.outputs)} outputs")
    if any(t == ABSENT and k not in operator.optional for k, t in enumerate(node.inputs)):
        raise view.error("misses an input that is not optional")


def _states(view: View, operator: Operator) -> None:
    """Checks the number of states, and that they are there."""
    states, count = view.node.states, len(view.graph.states)
    view.need(operator.states in (None, len(states)), f"has {len(states)} states, not {operator.states}")
    view.need(all(0 <= i < count for i in states), f"refers to states {list(states)}, of {count}")
    view.need(len(set(states)) == len(states), "has one state twice")


def _types(view: View, operator: Operator) -> None:
    """Checks the element types of data inputs and outputs by the operator's type policy."""
    tensors, node = view.graph.tensors, view.node
    ids = operator.data_inputs(node)
    given = [None if t == ABSENT else tensors[t].dtype for t in ids]
    reads = [tensors[t] for t in ids if t != ABSENT]
    writes = [tensors[t] for t in node.outputs]
    held = [view.graph.states[i] for i in node.states]
    states = [state.dtype for state in held]
    made = [t.dtype for t in writes]
    if any(types.fits(given, made, states) for types in operator.types):
        return
    if held and any(replace(types, states=tuple(states)).fits(given, made, states) for types in operator.types):
        raise view.error("has the state " + ", ".join(f"'{state.name}' of type {state.dtype.value}" for state in held))
    known = {dtype for types in operator.types for dtype in (types.x, types.y)}
    if len(known) == 1:
        (only,) = known
        wrong = next(t for t in (*reads, *writes) if t.dtype is not only)
        raise view.error(f"has tensor '{wrong.name}' of type {wrong.dtype.value}, not {only.value}")
    found = [", ".join(dict.fromkeys(t.dtype.value for t in part)) for part in (reads, writes)]
    if all(types.x is types.y for types in operator.types):
        raise view.error(f"makes {found[1]} of {found[0]}")
    raise view.error(f"from {found[0]} to {found[1]} is not supported")


def _rounding(view: View, operator: Operator) -> None:
    """Checks that the operator has the node's rounding, with its int8 output."""
    rounding = view.node.rounding
    view.need(rounding in operator.roundings, f"is rounded as {rounding.value}, which it has not")
    narrow = rounding is Rounding.TFLM or view.y().dtype is DType.INT8
    view.need(narrow, f"is rounded as {rounding.value}, which only int8 outputs are")


def _tensor(t: Tensor) -> None:
    if len(t.shape) > _MAX_RANK or any(n < 1 for n in t.shape):
        raise error(f"tensor '{t.name}' has shape {list(t.shape)}")
    if t.bytes > MAX_TENSOR_BYTES:
        raise error(f"tensor '{t.name}' of shape {list(t.shape)} is larger than {MAX_TENSOR_BYTES} bytes")
    if t.data is not None and (t.data.shape != t.shape or t.data.dtype != t.dtype.numpy):
        raise error(f"tensor '{t.name}' has data of shape {list(t.data.shape)}, type {t.data.dtype}")
    if t.quant is None:
        return
    q = t.quant
    if not q.scales or len(q.scales) != len(q.zero_points):
        raise error(f"tensor '{t.name}' has {len(q.scales)} scales and {len(q.zero_points)} zero points")
    if not all(isfinite(s) and s >= 0 for s in q.scales):
        raise error(f"tensor '{t.name}' has a scale that is negative or not finite")
    if t.dtype is not DType.FLOAT32:
        low, high = t.dtype.range
        if not all(low <= z <= high for z in q.zero_points):
            raise error(f"tensor '{t.name}' has a zero point outside {t.dtype.value}")


def _structure(graph: Graph) -> None:
    count = len(graph.tensors)
    for what, ids in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        # One tensor may be there twice: of two inputs the last one set is read, as in TFLM.
        if not ids or not all(0 <= t < count for t in ids):
            raise error(f"the graph's {what} are tensors {list(ids)}, of {count}")
    for t in graph.inputs:
        if graph.tensors[t].data is not None:
            raise error(f"input '{graph.tensors[t].name}' is a constant")
    defined = [tensor.data is not None for tensor in graph.tensors]
    for t in graph.inputs:
        defined[t] = True
    for i, node in enumerate(graph.nodes):
        view = View(graph, i, node)
        for t in node.inputs:
            view.need(t == ABSENT or 0 <= t < count, f"reads tensor {t}, of {count}")
            view.need(t == ABSENT or defined[t], f"reads '{graph.tensors[t].name}' before it is written")
        for t in node.outputs:
            view.need(0 <= t < count, f"writes tensor {t}, of {count}")
            view.need(not defined[t], f"writes '{graph.tensors[t].name}', which has its value already")
            defined[t] = True
    for t in graph.outputs:
        if not defined[t]:
            raise error(f"nothing computes the output '{graph.tensors[t].name}'")
