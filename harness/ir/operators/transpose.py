"""TRANSPOSE: dimension i of the output is dimension order[i] of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MAX_RANK = 5  # TFLM, transpose.h, kTransposeMaxDimensions less one: its loops for six are wrong for some orders


@dataclass(frozen=True)
class TransposeAttrs(Attrs):
    """TRANSPOSE: dimension i of the output is dimension `order[i]` of the input."""

    order: tuple[int, ...]


def _verify(v: View) -> None:
    x, y, order = v.x(), v.y(), v.attrs(TransposeAttrs).order
    v.need(len(x.shape) <= _MAX_RANK, f"has more than {_MAX_RANK} dimensions", "join neighbours by RESHAPE before it")
    v.need(sorted(order) == list(range(len(x.shape))), f"orders {len(x.shape)} dimensions as {list(order)}")
    v.shape(y, tuple(x.shape[i] for i in order))
    v.moved(x, y)


def transpose(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The dimensions in another order."""
    return (np.ascontiguousarray(np.transpose(array(inputs, 0), cast(TransposeAttrs, op.attrs).order)),)


def _moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    steps = dense(x)
    return (Move(loops(y, [steps[i] for i in cast(TransposeAttrs, node.attrs).order], dense(y))),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    """Whether dimensions of several elements keep their order: bytes stay where they are."""
    shape = graph.tensors[node.inputs[0]].shape
    long = [i for i in cast(TransposeAttrs, node.attrs).order if shape[i] > 1]
    return long == sorted(long)


def _read(op: Reading) -> Read:
    op.count(2)
    order = op.constant(1, "order of dimensions")
    rank = len(op.input(0).shape)
    if len(order) != rank:
        raise damaged(f"{op.place}: TRANSPOSE of {rank} dimensions to {list(order)}")
    return op.ids(0), TransposeAttrs(tuple(op.axis(i, rank) for i in order))


def _write(to: Writing, node: Node) -> OperatorDraft:
    order = to.constant("perm", cast(TransposeAttrs, node.attrs).order)
    return OperatorDraft(node.op, (*node.inputs, order), node.outputs, "Transpose")


OPERATORS = (
    Operator(
        "TRANSPOSE",
        _verify,
        transpose,
        attrs=TransposeAttrs,
        types=same(DType.FLOAT32, DType.INT8, DType.INT16),
        tflite=TfliteForm(39, _write, _read, options=26, operands=REST),
        changes_nothing=_changes_nothing,
        moves=_moves,
    ),
)
