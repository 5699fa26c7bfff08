"""SLICE and STRIDED_SLICE, resolved: per input dimension first index, step (may be negative) and number of elements."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Attrs, Graph, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import (
    REST,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    damaged,
    dimensions_left,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MAX_RANK = 4  # TFLM, strided_slice_common.cc


@dataclass(frozen=True)
class SliceAttrs(Attrs):
    """SLICE and STRIDED_SLICE, resolved: per input dimension first index, step (may be negative), number of elements.

    A dimension that the file shrinks away has count 1 here and is missing in the output's shape.
    """

    begin: tuple[int, ...]
    strides: tuple[int, ...]
    counts: tuple[int, ...]


def _verify(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(SliceAttrs)
    rank = len(x.shape)
    v.need(rank <= _MAX_RANK, f"has more than {_MAX_RANK} dimensions")
    v.need(len(attrs.begin) == len(attrs.strides) == len(attrs.counts) == rank, "has fewer indices than dimensions")
    for n, begin, stride, count in zip(x.shape, attrs.begin, attrs.strides, attrs.counts, strict=True):
        last = begin + (count - 1) * stride
        sound = stride != 0 and count >= 1 and 0 <= begin < n and 0 <= last < n
        v.need(sound, f"takes {count} elements from {begin} by {stride} of {n}")
    v.need(y.elements == prod(attrs.counts), f"takes {list(attrs.counts)}, '{y.name}' has shape {list(y.shape)}")
    v.moved(x, y)


def strided_slice(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The elements at begin, begin + stride, ... of every dimension."""
    attrs = cast(SliceAttrs, op.attrs)
    index = np.ix_(*(b + s * np.arange(n) for b, s, n in zip(attrs.begin, attrs.strides, attrs.counts, strict=True)))
    return (array(inputs, 0)[index].reshape(op.y.shape),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    attrs, x = cast(SliceAttrs, node.attrs), graph.tensors[node.inputs[0]]
    return all(
        count == size and (stride == 1 or size == 1)
        for count, size, stride in zip(attrs.counts, x.shape, attrs.strides, strict=True)
    )


def _read(op: Reading) -> Read:
    op.count(4)
    x = op.input(0)
    rank = len(x.shape)
    if rank > _MAX_RANK:
        raise Unsupported(f"more than {_MAX_RANK} dimensions")
    for offset, what in ((8, "ellipsis_mask"), (10, "new_axis_mask")):
        if op.integer(offset):
            raise Unsupported(what)
    if op.flag(14):
        raise Unsupported("end as an offset from begin")
    begin, end, strides = (op.constant(i, what) for i, what in ((1, "begin"), (2, "end"), (3, "strides")))
    if not len(begin) == len(end) == len(strides) == rank:
        raise Unsupported("fewer indices than dimensions")
    masks = op.integer(4), op.integer(6), op.integer(12)
    first, counts, shape = [], [], []
    for i, n in enumerate(x.shape):
        from_start, to_end, shrink = (bool(m >> i & 1) for m in masks)
        start, count = _along(op, n, (begin[i], end[i], strides[i]), from_start, to_end, shrink)
        first.append(start)
        counts.append(count)
        if not shrink:
            shape.append(count)
    if tuple(shape) != op.output().shape:
        raise damaged(f"{op.place}: STRIDED_SLICE gives {shape}, its output has shape {list(op.output().shape)}")
    return op.ids(0), SliceAttrs(tuple(first), strides, tuple(counts))


def _along(
    op: Reading, n: int, bounds: tuple[int, int, int], from_start: bool, to_end: bool, shrink: bool
) -> tuple[int, int]:
    """First index and number of elements along one dimension of n (TFLM, StartForAxis and StopForAxis)."""
    begin, end, stride = bounds
    if shrink and stride < 0:
        raise Unsupported(
            "shrink_axis_mask along a negative stride (TFLM computes nothing and leaves the output as it was; "
            "write x[i] with a stride of 1)"
        )
    if stride == 0:
        raise damaged(f"{op.place}: stride 0 of STRIDED_SLICE")
    low, high = (0, n) if stride > 0 else (-1, n - 1)
    start = min(max(begin + n if begin < 0 else begin, low), high)
    if from_start:
        start = 0 if stride > 0 else n - 1
    stop = min(max(end + n if end < 0 else end, low), high)
    if to_end:
        stop = n if stride > 0 else -1
    count = 1 if shrink else max(-(-(stop - start) // stride), 0)
    if count == 0 or not 0 <= start < n:
        raise damaged(f"{op.place}: STRIDED_SLICE [{begin}:{end}:{stride}] of {n} elements is empty")
    return start, count


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(SliceAttrs, node.attrs)
    kept = dimensions_left(attrs.counts, to.graph.tensors[node.outputs[0]].shape, node.op)
    # With one element the stride has no effect; TFLM takes only a positive one for a dimension that is shrunk.
    strides = [s if n > 1 else 1 for s, n in zip(attrs.strides, attrs.counts, strict=True)]
    ends = [b + s * n for b, s, n in zip(attrs.begin, strides, attrs.counts, strict=True)]
    fields = {
        # An end before the first element has no index, since -1 is the last one: hence the mask.
        "EndMask": sum(1 << i for i, end in enumerate(ends) if end < 0),
        "ShrinkAxisMask": sum(1 << i for i in range(len(ends)) if i not in kept),
    }
    inputs = tuple(to.constant(n, v) for n, v in (("begin", attrs.begin), ("end", ends), ("strides", strides)))
    return OperatorDraft(node.op, (*node.inputs, *inputs), node.outputs, "StridedSlice", fields)


def _read_slice(op: Reading) -> Read:
    op.count(3)
    shape = op.input(0).shape
    begin, size = op.constant(1, "begin"), op.constant(2, "size")
    if not len(begin) == len(size) == len(shape):
        raise damaged(f"{op.place}: SLICE of {len(shape)} dimensions from {list(begin)}, {list(size)} elements")
    counts = tuple(n - b if s == -1 else s for n, b, s in zip(shape, begin, size, strict=True))
    if counts != op.output().shape or any(b < 0 for b in begin):
        raise damaged(f"{op.place}: SLICE of {list(counts)} elements, its output has {list(op.output().shape)}")
    return op.ids(0), SliceAttrs(begin, (1,) * len(shape), counts)


def _write_slice(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(SliceAttrs, node.attrs)
    y = to.graph.tensors[node.outputs[0]]
    if y.shape != attrs.counts or any(s != 1 for s in attrs.strides):
        raise GraphError(f"SLICE into '{y.name}' has steps, or drops dimensions", hint="use STRIDED_SLICE")
    inputs = (to.constant("begin", attrs.begin), to.constant("size", attrs.counts))
    return OperatorDraft(node.op, (*node.inputs, *inputs), node.outputs, "Slice")


OPERATORS = (
    Operator(
        "SLICE",
        _verify,
        strided_slice,
        attrs=SliceAttrs,
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32, DType.BOOL),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(65, _write_slice, _read_slice, operands=REST),
        changes_nothing=_changes_nothing,
    ),
    Operator(
        "STRIDED_SLICE",
        _verify,
        strided_slice,
        attrs=SliceAttrs,
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32, DType.BOOL),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(45, _write, _read, options=32, operands=REST),
        changes_nothing=_changes_nothing,
    ),
)
