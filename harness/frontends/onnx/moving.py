"""Moves that lowerings share: reshaped, sliced, joined and repeated values, whatever their order of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Unsupported
from harness.frontends.onnx.value import OnnxValue, identity
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.strided_slice import SliceAttrs


def reshaped(net: Network, x: OnnxValue, shape: Sequence[int]) -> OnnxValue:
    """A value's elements in another shape, in ONNX's order."""
    if prod(shape) != prod(x.shape):
        raise Unsupported(f"{list(x.shape)} made {list(shape)}")
    if x.data is not None:
        return replace(x, name=net.naming, shape=tuple(shape), data=x.data.reshape(shape), integers=None)
    long_x, long_y = [n for n in x.shape if n > 1], [n for n in shape if n > 1]
    if long_x == long_y and x.columns is None:  # only dimensions of one element come and go: any order stays
        return _same_long(net, x, tuple(shape))
    return net.made(shape, net.reshaped(net.stored(x), shape), dtype=x.dtype)


def _same_long(net: Network, x: OnnxValue, shape: tuple[int, ...]) -> OnnxValue:
    """Reshapes where dimensions of several elements stay as they are."""
    places = [i for i, n in enumerate(shape) if n > 1]
    source = [i for i, n in enumerate(x.shape) if n > 1]
    moved = [places[source.index(i)] for i in x.order if x.shape[i] > 1]
    if moved == sorted(moved):
        return net.made(shape, net.reshaped(x.tensor, shape), dtype=x.dtype)
    ones = [i for i, n in enumerate(shape) if n == 1]
    order = (*(i for i in ones if i == 0), *moved, *(i for i in ones if i))
    return net.made(shape, net.reshaped(x.tensor, [shape[i] for i in order]), order, x.dtype)


def sliced(
    net: Network, tensor: int, begin: Sequence[int], strides: Sequence[int], counts: Sequence[int]
) -> int:
    """The elements begin, begin + stride, ... of every dimension of a stored tensor."""
    stored = net.tensors[tensor]
    if tuple(counts) == stored.shape and all(s == 1 or n == 1 for s, n in zip(strides, counts, strict=True)):
        return tensor
    rank = len(stored.shape)
    if rank > 4:  # leading dimensions that stay whole are one
        whole = 0
        while whole < rank and counts[whole] == stored.shape[whole] and strides[whole] == 1:
            whole += 1
        if rank - whole > 3:
            raise Unsupported(f"parts of {rank} dimensions")
        joined = net.reshaped(tensor, (prod(stored.shape[:whole]), *stored.shape[whole:]))
        part = sliced(
            net, joined, (0, *begin[whole:]), (1, *strides[whole:]), (prod(counts[:whole]), *counts[whole:])
        )
        return net.reshaped(part, counts)
    attrs = SliceAttrs(tuple(begin), tuple(strides), tuple(counts))
    return net.emit("STRIDED_SLICE", [tensor], counts, attrs, quant=stored.quant)


def part_of(
    net: Network, x: OnnxValue, begin: Sequence[int], strides: Sequence[int], counts: Sequence[int]
) -> OnnxValue:
    """The same of a value, by ONNX's dimensions."""
    tensor = net.stored(x) if x.data is not None or x.columns is not None else x.tensor
    order = identity(x.rank) if x.data is not None else x.order
    parts = [[part[i] for i in order] for part in (begin, strides, counts)]
    return net.made(counts, sliced(net, tensor, *parts), order, x.dtype)


def common_order(net: Network, values: Sequence[OnnxValue], rank: int) -> tuple[int, ...]:
    """The order in which most elements of values of that rank already are."""
    weights: dict[tuple[int, ...], int] = {}
    for value in values:
        if value.data is None and value.rank == rank and value.columns is None:
            weights[value.order] = weights.get(value.order, 0) + prod(value.shape)
    return max(weights, key=lambda order: weights[order]) if weights else identity(rank)


def joined(net: Network, tensors: Sequence[int], axis: int) -> int:
    """Stored tensors one behind another along an axis; TFLM joins at most ten at once."""
    while len(tensors) > 10:
        tensors = [joined(net, tensors[i : i + 10], axis) for i in range(0, len(tensors), 10)]
    if len(tensors) == 1:
        return tensors[0]
    first = net.tensors[tensors[0]]
    shape = list(first.shape)
    shape[axis] = sum(net.tensors[t].shape[axis] for t in tensors)
    attrs = ConcatAttrs(axis, first.dtype.range)
    return net.emit("CONCATENATION", tensors, shape, attrs, quant=first.quant)


def repeated(net: Network, x: OnnxValue, shape: tuple[int, ...]) -> OnnxValue:
    """A value broadcast to a shape."""
    full = reshaped(net, x, (1,) * (len(shape) - x.rank) + x.shape)
    if shape == full.shape:
        return full
    order = full.order or identity(len(shape))
    tensor = net.stored(full, order)
    return net.made(shape, net.emit("BROADCAST_TO", [tensor], [shape[i] for i in order]), order, x.dtype)
