"""GATHER and GATHER_ND: slices picked by indices, which may be computed at run time. Inputs: data, indices."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, NoAttrs, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_INDICES = ((1, DType.INT32),)
_TYPES = tuple(Types(x, x, apart=_INDICES) for x in (DType.FLOAT32, DType.INT8, DType.INT32, DType.INT64))
"""TFLM has float32 and int8; the others are of shapes, and gone when they are computed at import."""


@dataclass(frozen=True)
class GatherAttrs(Attrs):
    """GATHER along `axis` of the data (non-negative); the first `batch` dimensions of data and indices go together."""

    axis: int
    batch: int


def _in_range(v: View, indices: Tensor, sizes: tuple[int, ...]) -> None:
    """Checks constant indices, whose last dimension runs over `sizes`."""
    if indices.data is not None:
        found = np.asarray(indices.data, np.int64).reshape(-1, len(sizes))
        v.need(bool(((found >= 0) & (found < sizes)).all()), f"has indices outside {list(sizes)}")


def _verify_gather(v: View) -> None:
    x, indices, y, attrs = v.x(), v.x(1), v.y(), v.attrs(GatherAttrs)
    axis, batch = attrs.axis, attrs.batch
    v.need(0 <= axis < len(x.shape), f"has axis {axis} over {len(x.shape)} dimensions")
    v.need(0 <= batch <= min(axis, len(indices.shape)), f"has {batch} batch dimensions before axis {axis}")
    v.need(x.shape[:batch] == indices.shape[:batch], f"has batches {list(x.shape)} and {list(indices.shape)}")
    v.shape(y, x.shape[:axis] + indices.shape[batch:] + x.shape[axis + 1 :])
    _in_range(v, indices, (x.shape[axis],))
    v.moved(x, y)


def gather(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The slices of the data at the indices; indices beyond the axis are its ends (TFLM reads out of bounds there)."""
    attrs, shape = cast(GatherAttrs, op.attrs), op.x.shape
    axis, batch = attrs.axis, attrs.batch
    rows, inner = prod(shape[batch:axis]), prod(shape[axis + 1 :])
    data = array(inputs, 0).reshape(prod(shape[:batch]), rows, shape[axis], inner)
    indices = np.clip(array(inputs, 1).astype(np.int64), 0, shape[axis] - 1).reshape(len(data), -1)
    return (np.stack([d[:, i] for d, i in zip(data, indices, strict=True)]).reshape(op.y.shape),)


def _read_gather(op: Reading) -> Read:
    op.count(2)
    axis, batch = op.axis(op.integer(4), len(op.input(0).shape)), op.integer(6)
    return op.ids(0, 1), GatherAttrs(axis, batch + len(op.input(1).shape) if batch < 0 else batch)


def _write_gather(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(GatherAttrs, node.attrs)
    return OperatorDraft(node.op, node.inputs, node.outputs, "Gather", {"Axis": attrs.axis, "BatchDims": attrs.batch})


def _verify_gather_nd(v: View) -> None:
    x, indices, y = v.x(), v.x(1), v.y()
    depth = indices.shape[-1] if indices.shape else 0
    v.need(1 <= depth <= min(len(x.shape), 5), f"has {depth} indices for {len(x.shape)} dimensions")
    v.shape(y, indices.shape[:-1] + x.shape[depth:])
    _in_range(v, indices, x.shape[:depth])
    v.moved(x, y)


def gather_nd(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The slices of the data at tuples of indices, each limited to its dimension."""
    data, indices = array(inputs, 0), array(inputs, 1).astype(np.int64)
    depth = indices.shape[-1]
    places = tuple(np.clip(indices[..., i], 0, data.shape[i] - 1) for i in range(depth))
    return (np.ascontiguousarray(data[places]).reshape(op.y.shape),)


def _read_gather_nd(op: Reading) -> Read:
    op.count(2)
    return op.ids(0, 1), NoAttrs()


OPERATORS = (
    Operator(
        "GATHER",
        _verify_gather,
        gather,
        attrs=GatherAttrs,
        inputs=(2, 2),
        types=_TYPES,
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(36, _write_gather, _read_gather, options=23),
    ),
    Operator(
        "GATHER_ND",
        _verify_gather_nd,
        gather_nd,
        inputs=(2, 2),
        types=_TYPES,
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(107, write_plain, _read_gather_nd),
    ),
)
