"""BROADCAST_TO, FILL and ZEROS_LIKE: elements repeated; BROADCAST_ARGS: the shape that two shapes broadcast to."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Graph, NoAttrs, Node
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import ANY, Operator, same
from harness.ir.operators.tflite import (
    REST,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    damaged,
    read_plain,
    write_plain,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MAX_RANK = 5  # TFLM, broadcast_to.cc


# --- BROADCAST_TO ----------------------------------------------------------------------------------------------------


def _verify_broadcast(v: View) -> None:
    x, y = v.x(), v.y()
    v.need(len(y.shape) <= _MAX_RANK, f"has more than {_MAX_RANK} dimensions")
    try:
        sound = np.broadcast_shapes(x.shape, y.shape) == y.shape
    except ValueError:
        sound = False
    v.need(sound, f"cannot broadcast {list(x.shape)} to {list(y.shape)}")
    v.moved(x, y)


def broadcast_to(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The input repeated along dimensions in which it has one element."""
    return (np.ascontiguousarray(np.broadcast_to(array(inputs, 0), op.y.shape)),)


def _broadcast_moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    full = (1,) * (len(y) - len(x)) + x
    reading = [0 if n == 1 else step for n, step in zip(full, dense(full), strict=True)]
    return (Move(loops(y, reading, dense(y))),)


def _is_whole(graph: Graph, node: Node) -> bool:
    return graph.tensors[node.inputs[0]].elements == graph.tensors[node.outputs[0]].elements


def _read_broadcast(op: Reading) -> Read:
    op.count(2)
    if op.constant(1, "shape") != op.output().shape:
        raise damaged(f"{op.place}: {op.name} to a shape that is not its output's")
    return op.ids(0), NoAttrs()


def _write_broadcast(to: Writing, node: Node) -> OperatorDraft:
    shape = to.constant("shape", to.graph.tensors[node.outputs[0]].shape)
    return OperatorDraft(node.op, (*node.inputs, shape), node.outputs, "BroadcastTo")


# --- FILL ------------------------------------------------------------------------------------------------------------


def _verify_fill(v: View) -> None:
    x, y = v.x(), v.y()
    v.need(x.elements == 1, f"fills with '{x.name}' of shape {list(x.shape)}, not with one value")
    v.moved(x, y)


def fill(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """One value everywhere."""
    return (np.full(op.y.shape, array(inputs, 0).reshape(-1)[0]),)


def _fill_moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    return (Move(((graph.tensors[node.outputs[0]].elements, 0, 1),)),)


def _read_fill(op: Reading) -> Read:
    op.count(2)
    if op.constant(0, "shape") != op.output().shape:
        raise damaged(f"{op.place}: {op.name} to a shape that is not its output's")
    return op.ids(1), NoAttrs()


def _write_fill(to: Writing, node: Node) -> OperatorDraft:
    shape = to.constant("dims", np.array(to.graph.tensors[node.outputs[0]].shape, np.int32))
    return OperatorDraft(node.op, (shape, *node.inputs), node.outputs, "Fill")


# --- ZEROS_LIKE ------------------------------------------------------------------------------------------------------


def _verify_zeros(v: View) -> None:
    v.shape(v.y(), v.x().shape)


def zeros_like(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Zeros in the input's shape: the integer 0, whatever the zero point."""
    return (np.zeros(op.y.shape, op.y.dtype.numpy),)


# --- BROADCAST_ARGS --------------------------------------------------------------------------------------------------


def _verify_args(v: View) -> None:
    for t in (v.x(), v.x(1)):
        v.need(len(t.shape) == 1 and t.data is not None, f"takes '{t.name}', which is not a known shape")
    longest = max(v.x().elements, v.x(1).elements)
    v.shape(v.y(), (longest,))


def broadcast_args(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The shape that two shapes broadcast to.

    Raises:
        GraphError: they do not broadcast.
    """
    from harness.errors import GraphError

    a, b = ([int(n) for n in array(inputs, i)] for i in range(2))
    length = max(len(a), len(b))
    pairs = zip([1] * (length - len(a)) + a, [1] * (length - len(b)) + b, strict=True)
    joined = []
    for n, m in pairs:
        if n != m and 1 not in (n, m):
            raise GraphError(f"BROADCAST_ARGS of {a} and {b}", hint="convert the model again with a fixed batch")
        joined.append(m if n == 1 else n)
    return (np.array(joined, op.y.dtype.numpy),)


def _read_args(op: Reading) -> Read:
    op.count(2)
    if not all(op.has_data(t) for t in op.ids(0, 1)):
        raise Unsupported("shapes computed at run time")
    return op.ids(0, 1), NoAttrs()


OPERATORS = (
    Operator(
        "BROADCAST_TO",
        _verify_broadcast,
        broadcast_to,
        types=ANY,
        tflite=TfliteForm(130, _write_broadcast, _read_broadcast, operands=REST),
        changes_nothing=_is_whole,
        moves=_broadcast_moves,
    ),
    Operator(
        "FILL",
        _verify_fill,
        fill,
        types=same(DType.FLOAT32, DType.INT8, DType.INT32),
        tflite=TfliteForm(94, _write_fill, _read_fill, version=1, operands=range(1)),
        moves=_fill_moves,
    ),
    Operator(
        "ZEROS_LIKE",
        _verify_zeros,
        zeros_like,
        types=same(DType.FLOAT32, DType.INT8, DType.INT32, DType.INT64),
        traits=frozenset({Trait.OF_SHAPE}),
        tflite=TfliteForm(93, write_plain, read_plain, version=1),
    ),
    Operator(
        "BROADCAST_ARGS",
        _verify_args,
        broadcast_args,
        inputs=(2, 2),
        types=same(DType.INT32, DType.INT64),
        tflite=TfliteForm(145, write_plain, _read_args, version=1),
    ),
)
