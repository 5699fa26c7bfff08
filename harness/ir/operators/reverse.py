"""REVERSE_V2: the elements along some axes in the opposite order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import ANY, Operator
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType


@dataclass(frozen=True)
class ReverseAttrs(Attrs):
    """REVERSE_V2 along `axes` (non-negative, rising)."""

    axes: tuple[int, ...]


def _verify(v: View) -> None:
    x, y, axes = v.x(), v.y(), v.attrs(ReverseAttrs).axes
    v.shape(y, x.shape)
    v.need(all(0 <= axis < len(x.shape) for axis in axes), f"reverses axes {list(axes)} of {len(x.shape)}")
    v.need(len(set(axes)) == len(axes), f"reverses an axis twice: {list(axes)}")
    v.moved(x, y)


def reverse(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The elements from the last to the first along the axes."""
    return (np.ascontiguousarray(np.flip(array(inputs, 0), cast(ReverseAttrs, op.attrs).axes)),)


def _moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    shape, axes = graph.tensors[node.inputs[0]].shape, cast(ReverseAttrs, node.attrs).axes
    steps = dense(shape)
    reading = [-step if axis in axes else step for axis, step in enumerate(steps)]
    return (Move(loops(shape, reading, steps), start=sum((shape[axis] - 1) * steps[axis] for axis in axes)),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    shape = graph.tensors[node.inputs[0]].shape
    return all(shape[axis] == 1 for axis in cast(ReverseAttrs, node.attrs).axes)


def _read(op: Reading) -> Read:
    op.count(2)
    rank = len(op.input(0).shape)
    axes = [op.axis(axis, rank) for axis in op.constant(1, "axes")]
    if len(set(axes)) != len(axes):
        raise damaged(f"{op.place}: REVERSE_V2 along axes {axes}")
    return op.ids(0), ReverseAttrs(tuple(sorted(axes)))


def _write(to: Writing, node: Node) -> OperatorDraft:
    axes = to.constant("axes", cast(ReverseAttrs, node.attrs).axes)
    return OperatorDraft(node.op, (*node.inputs, axes), node.outputs, "ReverseV2")


OPERATORS = (
    Operator(
        "REVERSE_V2",
        _verify,
        reverse,
        attrs=ReverseAttrs,
        types=tuple(types for types in ANY if types.x not in (DType.UINT32, DType.UINT64)),
        tflite=TfliteForm(105, _write, _read, version=1, operands=REST),
        changes_nothing=_changes_nothing,
        moves=_moves,
    ),
)
