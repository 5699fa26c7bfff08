"""Operators that place elements by constant indices: GatherElements, GatherND, scatters, Compress, Trilu and others.

Each output element is an input element, or an update, whose place is known when the file is read: one GATHER of the
flattened input.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.lowering.reduction import arg_along
from harness.frontends.onnx.moving import joined, reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lower, Lowering, OnnxNode, Unsupported, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.ir.operators.gather import GatherAttrs
from harness.quantization.types import DType

Places = npt.NDArray[np.int64]

_TYPES = (DType.FLOAT32, DType.INT32, DType.INT64)


def _flat(net: Network, x: OnnxValue) -> int:
    return net.reshaped(net.stored(x), (prod(x.shape),))


def _picked(net: Network, flat: int, places: Places, dtype: DType) -> OnnxValue:
    """The elements of a flattened tensor at `places`, in their shape."""
    if places.size == 0:
        raise Unsupported("an empty output")
    shape = tuple(int(n) for n in places.shape)
    index = net.constant(places.reshape(-1).astype(np.int32))
    y = net.emit("GATHER", [flat, index], (places.size,), GatherAttrs(0, 0), quant=net.tensors[flat].quant)
    return net.made(shape, net.reshaped(y, shape), dtype=dtype)


def _numbered(shape: Sequence[int]) -> Places:
    return np.arange(prod(shape), dtype=np.int64).reshape(tuple(shape))


def _indices(node: OnnxNode, i: int) -> Places:
    found = node.constant(i, "indices")
    if found.dtype.kind not in "iu":
        raise Unsupported(f"indices of type {found.dtype}")
    return found.astype(np.int64)


def _within(indices: Places, size: int | Places) -> Places:
    """Indices that count from the end, from the start."""
    if (indices < -np.asarray(size)).any() or (indices >= size).any():
        raise Unsupported(f"indices outside {size}")
    return np.asarray(np.where(indices < 0, indices + size, indices), np.int64)


def _gather_elements(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, indices = node.value(0), _indices(node, 1)
    must_be(x, *_TYPES)
    axis = axis_of(node.integer("axis"), x.rank)
    return (_picked(net, _flat(net, x), _along(x.shape, indices, axis), x.dtype),)


def _along(shape: tuple[int, ...], indices: Places, axis: int) -> Places:
    """Places of elements at their own indices but along `axis`, where they are at `indices`."""
    if indices.ndim != len(shape):
        raise Unsupported(f"indices of {indices.ndim} dimensions for {len(shape)}")
    own: list[Places] = list(np.indices(indices.shape).astype(np.int64))
    own[axis] = _within(indices, shape[axis])
    return np.asarray(_numbered(shape)[tuple(own)])


def _gather_nd(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, indices, batch = node.value(0), _indices(node, 1), node.integer("batch_dims")
    must_be(x, *_TYPES)
    if not 0 <= batch < min(x.rank, indices.ndim) or not 1 <= indices.shape[-1] <= x.rank - batch:
        raise Unsupported(f"batch_dims {batch}")
    if indices.shape[:batch] != x.shape[:batch]:
        raise Unsupported(f"indices of shape {list(indices.shape)}")
    depth = indices.shape[-1]
    sizes = np.array(x.shape[batch : batch + depth])
    found = _within(indices, sizes)
    before = [np.expand_dims(part, tuple(range(batch, found.ndim - 1))) for part in np.indices(x.shape[:batch])]
    places = _numbered(x.shape)[(*before, *(found[..., i] for i in range(depth)))]
    return (_picked(net, _flat(net, x), places, x.dtype),)


def _scattered(net: Network, x: OnnxValue, updates: OnnxValue, places: Places) -> OnnxValue:
    """x with updates at `places`, of updates' shape; of several for one place the last."""
    if places.shape != updates.shape or x.dtype is not updates.dtype:
        raise Unsupported("updates of another shape or type")
    must_be(x, *_TYPES)
    size = prod(x.shape)
    wanted = np.arange(size, dtype=np.int64)
    for number, place in enumerate(places.reshape(-1).tolist()):
        wanted[place] = size + number
    both = joined(net, [_flat(net, x), _flat(net, updates)], 0)
    return _picked(net, both, wanted.reshape(x.shape), x.dtype)


def _scatter_elements(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    if node.text("reduction", "none") != "none":
        raise Unsupported("a reduction")
    places = _along(x.shape, _indices(node, 1), axis_of(node.integer("axis"), x.rank))
    return (_scattered(net, x, node.value(2), places),)


def _scatter_nd(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, indices = node.value(0), _indices(node, 1)
    if node.text("reduction", "none") != "none":
        raise Unsupported("a reduction")
    depth = indices.shape[-1] if indices.ndim else 0
    if not 1 <= depth <= x.rank:
        raise Unsupported(f"indices of shape {list(indices.shape)}")
    found = _within(indices, np.array(x.shape[:depth]))
    places = _numbered(x.shape)[tuple(found[..., i] for i in range(depth))]
    return (_scattered(net, x, node.value(2), np.asarray(places)),)


def _compress(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, kept = node.value(0), node.constant(1, "a condition")
    must_be(x, *_TYPES)
    axis = node.attribute("axis")
    whole = _numbered(x.shape).reshape(-1) if axis is None else _numbered(x.shape)
    along = 0 if axis is None else axis_of(int(axis), x.rank)
    return (_picked(net, _flat(net, x), np.compress(kept.astype(bool), whole, axis=along), x.dtype),)


def _reverse_sequence(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, lengths = node.value(0), node.numbers(1, "lengths")
    must_be(x, *_TYPES)
    batch, time = node.integer("batch_axis", 1), node.integer("time_axis", 0)
    if {batch, time} != {0, 1} or x.rank < 2 or lengths is None or len(lengths) != x.shape[batch]:
        raise Unsupported("axes or lengths that do not fit")
    if not all(0 <= n <= x.shape[time] for n in lengths):
        raise Unsupported("lengths beyond the sequence")
    places = np.moveaxis(_numbered(x.shape), (batch, time), (0, 1)).copy()
    for row, length in zip(places, lengths, strict=True):
        row[:length] = row[:length][::-1].copy()
    return (_picked(net, _flat(net, x), np.moveaxis(places, (0, 1), (batch, time)), x.dtype),)


def _trilu(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Elements outside of the triangle are one zero behind the others."""
    x, k = node.value(0), int(node.scalar(1, "a diagonal") or 0)
    must_be(x, *_TYPES)
    if x.rank < 2:
        raise Unsupported(f"{x.rank} dimensions")
    keep = np.triu if node.integer("upper", 1) else np.tril
    inside = keep(np.ones(x.shape, bool), max(-(1 << 30), min(k, 1 << 30)))
    zero = net.constant(np.zeros(1, net.tensors[x.tensor].dtype.numpy))
    places = np.where(inside, _numbered(x.shape), prod(x.shape))
    return (_picked(net, joined(net, [_flat(net, x), zero], 0), places, x.dtype),)


def _eye_like(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """A constant: it follows from the shape."""
    x, kind = node.value(0), node.integer("dtype")
    dtype = {0: x.dtype, 1: DType.FLOAT32, 6: DType.INT32, 7: DType.INT64}.get(kind)
    if dtype is None or x.rank != 2:
        raise Unsupported("an element type that tinyhil does not have")
    return (OnnxValue("", x.shape, dtype, np.eye(x.shape[0], x.shape[1], node.integer("k")).astype(dtype.numpy)),)


# --- one of several --------------------------------------------------------------------------------------------------


def _iota(size: int, rank: int, axis: int, dtype: DType) -> OnnxValue:
    shape = tuple(size if i == axis else 1 for i in range(rank))
    return OnnxValue("", shape, dtype, np.arange(size).reshape(shape).astype(dtype.numpy))


def _one_hot(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, depth, values = node.value(0), node.scalar(1, "a depth"), node.value(2)
    must_be(x, DType.INT32, DType.INT64, DType.FLOAT32)
    if depth is None or depth < 1 or depth != int(depth) or values.data is None or values.shape != (2,):
        raise Unsupported("a depth or values that are no constants")
    must_be(values, DType.FLOAT32)
    axis = axis_of(node.integer("axis", -1), x.rank + 1)
    wide = reshaped(net, x, (*x.shape[:axis], 1, *x.shape[axis:]))
    math = Arithmetic(net)
    at = _iota(int(depth), x.rank + 1, axis, x.dtype)
    assert at.data is not None
    below = OnnxValue("", at.shape, at.dtype, (at.data - int(depth)).astype(at.data.dtype))  # from the end
    here, there = (math.binary("EQUAL", wide, one, DType.BOOL) for one in (at, below))
    hit = math.binary("LOGICAL_OR", here, there, DType.BOOL)
    off, on = (math.number(float(v)) for v in np.asarray(values.data, np.float32))
    return (math.select(hit, on, off),)


def _hardmax(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """1 at the first of the largest elements."""
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    if node.version < 13:
        raise Unsupported("the meaning of opsets before 13")
    axis = axis_of(node.integer("axis", -1), x.rank)
    place = arg_along(net, "ARG_MAX", x, axis, keep=True)
    math = Arithmetic(net)
    hit = math.binary("EQUAL", place, _iota(x.shape[axis], x.rank, axis, DType.INT64), DType.BOOL)
    return (math.unary("CAST", hit, dtype=DType.FLOAT32),)


def _versions(lower: Lower, *own: int) -> Lowering:
    return Lowering(lower, own)


LOWERINGS = {
    "GatherElements": _versions(_gather_elements, 11, 13),
    "GatherND": _versions(_gather_nd, 11, 12, 13),
    "ScatterElements": _versions(_scatter_elements, 11, 13, 16, 18),
    "ScatterND": _versions(_scatter_nd, 11, 13, 16, 18),
    "Compress": _versions(_compress, 9, 11, 28),
    "ReverseSequence": _versions(_reverse_sequence, 10, 28),
    "Trilu": _versions(_trilu, 14),
    "EyeLike": _versions(_eye_like, 9, 22),
    "OneHot": _versions(_one_hot, 9, 11, 28),
    "Hardmax": _versions(_hardmax, 13),
}
