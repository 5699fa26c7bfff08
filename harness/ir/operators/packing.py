"""PACK and UNPACK: tensors of one shape as slices along a new axis of one more dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MAX_SLICES = 1_000


@dataclass(frozen=True)
class PackAttrs(Attrs):
    """PACK and UNPACK along `axis` (non-negative) of the larger tensor."""

    axis: int


def _verify(v: View, whole: Tensor, slices: list[Tensor]) -> None:
    axis = v.attrs(PackAttrs).axis
    rank = len(whole.shape)
    v.need(0 <= axis < rank, f"has axis {axis} over {rank} dimensions")
    v.need(whole.shape[axis] == len(slices), f"has {len(slices)} tensors for {whole.shape[axis]} along axis {axis}")
    for t in slices:
        v.shape(t, whole.shape[:axis] + whole.shape[axis + 1 :])
    v.moved(whole, *slices)


def _verify_pack(v: View) -> None:
    _verify(v, v.y(), [v.x(i) for i in range(len(v.node.inputs))])


def _verify_unpack(v: View) -> None:
    _verify(v, v.x(), [v.y(i) for i in range(len(v.node.outputs))])


def pack(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """All inputs stacked along the axis."""
    return (np.stack([array(inputs, i) for i in range(len(inputs))], axis=cast(PackAttrs, op.attrs).axis),)


def unpack(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The slices along the axis."""
    return tuple(np.ascontiguousarray(np.moveaxis(array(inputs, 0), cast(PackAttrs, op.attrs).axis, 0)))


def _slices(whole: tuple[int, ...], axis: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]:
    """(shape, steps and steps within the whole of a slice, elements of the whole between two slices)."""
    steps = dense(whole)
    shape = whole[:axis] + whole[axis + 1 :]
    return shape, dense(shape), steps[:axis] + steps[axis + 1 :], steps[axis]


def _pack_moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    whole, axis = graph.tensors[node.outputs[0]].shape, cast(PackAttrs, node.attrs).axis
    shape, own, within, apart = _slices(whole, axis)
    return tuple(Move(loops(shape, own, within), source=i, to=i * apart) for i in range(len(node.inputs)))


def _unpack_moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    whole, axis = graph.tensors[node.inputs[0]].shape, cast(PackAttrs, node.attrs).axis
    shape, own, within, apart = _slices(whole, axis)
    return tuple(Move(loops(shape, within, own), target=i, start=i * apart) for i in range(len(node.outputs)))


def _is_one(graph: Graph, node: Node) -> bool:
    return len(node.inputs) == len(node.outputs) == 1


def _read_pack(op: Reading) -> Read:
    op.count(1, _MAX_SLICES)
    if op.integer(4) != len(op.inputs):
        raise damaged(f"{op.place}: PACK of {op.integer(4)} tensors with {len(op.inputs)} inputs")
    return op.ids(*range(len(op.inputs))), PackAttrs(op.axis(op.integer(6), len(op.output().shape)))


def _read_unpack(op: Reading) -> Read:
    op.count(1, outputs=len(op.outputs))
    if op.integer(4) != len(op.outputs):
        raise damaged(f"{op.place}: UNPACK into {op.integer(4)} tensors with {len(op.outputs)} outputs")
    return op.ids(0), PackAttrs(op.axis(op.integer(6), len(op.input(0).shape)))


def _write_pack(to: Writing, node: Node) -> OperatorDraft:
    fields = {"ValuesCount": len(node.inputs), "Axis": cast(PackAttrs, node.attrs).axis}
    return OperatorDraft(node.op, node.inputs, node.outputs, "Pack", fields)


def _write_unpack(to: Writing, node: Node) -> OperatorDraft:
    fields = {"Num": len(node.outputs), "Axis": cast(PackAttrs, node.attrs).axis}
    return OperatorDraft(node.op, node.inputs, node.outputs, "Unpack", fields)


OPERATORS = (
    Operator(
        "PACK",
        _verify_pack,
        pack,
        attrs=PackAttrs,
        inputs=(1, _MAX_SLICES),
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32, DType.INT64),
        tflite=TfliteForm(83, _write_pack, _read_pack, options=59),
        changes_nothing=_is_one,
        moves=_pack_moves,
    ),
    Operator(
        "UNPACK",
        _verify_unpack,
        unpack,
        attrs=PackAttrs,
        outputs=(1, _MAX_SLICES),
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32),
        tflite=TfliteForm(88, _write_unpack, _read_unpack, options=64),
        changes_nothing=_is_one,
        moves=_unpack_moves,
    ),
)
