"""Operators that move elements: Reshape and its kin, Transpose, Slice, Split, Concat, Gather, Pad, Tile, Expand, ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite, prod

import numpy as np

from harness.frontends.onnx.moving import common_order, joined, part_of, repeated, reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, axes_of, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue, channels_last, identity
from harness.ir.graph import Node
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.depth_space import BlockAttrs
from harness.ir.operators.gather import GatherAttrs
from harness.ir.operators.joining import SplitAttrs
from harness.ir.operators.mirror_pad import MirrorAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.reduce import ArgAttrs
from harness.quantization.types import DType

_GROWING = (21, 23, 24, 25)
"""Opsets that only added element types to the operators that move elements."""


# --- shapes ----------------------------------------------------------------------------------------------------------




def _reshape(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    wanted = node.numbers(1, "a shape")
    if wanted is None:
        raise Unsupported("no shape")
    zero = node.integer("allowzero")
    shape = [x.shape[i] if n == 0 and not zero and i < x.rank else n for i, n in enumerate(wanted)]
    if shape.count(-1) > 1 or any(n < 1 and n != -1 for n in shape):
        raise Unsupported(f"shape {list(wanted)}")
    if -1 in shape:
        known = -prod(shape)
        if prod(x.shape) % known:
            raise Unsupported(f"{list(x.shape)} made {list(wanted)}")
        shape[shape.index(-1)] = prod(x.shape) // known
    return (_flat_or(node, net, x, shape),)


def _flat_or(node: OnnxNode, net: Network, x: OnnxValue, shape: Sequence[int]) -> OnnxValue:
    """Reshapes; an image of channels last that only fully connected layers read stays in its order."""
    flat = len(shape) == 2 and x.rank > 2 and shape[0] == x.shape[0] and x.data is None and x.columns is None
    if flat and x.order[0] == 0 and not net.is_free(x, identity(x.rank)) and node.uses.get(node.outputs[0], 0) == (
        node.uses.get(f"{node.outputs[0]}@fully_connected", 0)
    ):
        places = np.arange(prod(x.shape[1:])).reshape(x.shape[1:]).transpose([i - 1 for i in x.order[1:]])
        made = net.made(shape, net.reshaped(x.tensor, shape), dtype=x.dtype)
        return replace(made, columns=places.reshape(-1))
    return reshaped(net, x, shape)


def _flatten(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, axis = node.value(0), node.integer("axis", 1)
    if not -x.rank <= axis <= x.rank:
        raise Unsupported(f"axis {axis}")
    axis = axis + x.rank if axis < 0 else axis
    return (_flat_or(node, net, x, (prod(x.shape[:axis]), prod(x.shape[axis:]))),)


def _axes(node: OnnxNode, rank: int) -> tuple[int, ...] | None:
    """Axes: an attribute up to opset 12, an input from then on."""
    found = node.integers("axes") if node.version < 13 else node.numbers(1, "axes")
    return None if found is None else axes_of(found, rank)


def _squeeze(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    axes = _axes(node, x.rank)
    gone = [i for i, n in enumerate(x.shape) if n == 1] if axes is None else list(axes)
    if any(x.shape[i] != 1 for i in gone):
        raise Unsupported(f"axes {gone} of {list(x.shape)}")
    return (reshaped(net, x, [n for i, n in enumerate(x.shape) if i not in gone]),)


def _unsqueeze(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    found = node.integers("axes") if node.version < 13 else node.numbers(1, "axes")
    if found is None:
        raise Unsupported("no axes")
    axes = axes_of(found, x.rank + len(found))
    rest = iter(x.shape)
    return (reshaped(net, x, [1 if i in axes else next(rest) for i in range(x.rank + len(axes))]),)


def _identity(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    return (node.value(0),)


def _dropout(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """Of inference: its input."""
    node.attribute("ratio")
    node.attribute("seed")
    if node.optional(2) is not None and node.scalar(2, "training_mode"):
        raise Unsupported("training_mode")
    x = node.value(0)
    if len(node.outputs) < 2 or node.version < 12:
        node.one_output()
        return (x,)
    return x, OnnxValue("", x.shape, DType.BOOL, np.ones(x.shape, bool))


def _transpose(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    order = node.integers("perm") or tuple(reversed(range(x.rank)))
    if sorted(order) != list(range(x.rank)):
        raise Unsupported(f"perm {list(order)}")
    shape = [x.shape[i] for i in order]
    if x.columns is not None:
        raise Unsupported("a flattened image transposed")
    return (net.made(shape, x.tensor, [order.index(i) for i in x.order], x.dtype),)


# --- parts -----------------------------------------------------------------------------------------------------------




def _slice(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    if node.version < 10:
        starts, ends, axes, steps = node.integers("starts"), node.integers("ends"), node.integers("axes"), None
    else:
        starts, ends = node.numbers(1, "starts"), node.numbers(2, "ends")
        axes, steps = node.numbers(3, "axes"), node.numbers(4, "steps")
    if starts is None or ends is None or len(starts) != len(ends):
        raise Unsupported("starts and ends of different lengths")
    axes = tuple(range(len(starts))) if axes is None else tuple(axis_of(a, x.rank) for a in axes)
    steps = (1,) * len(starts) if steps is None else steps
    if not len(axes) == len(steps) == len(starts) == len(set(axes)):
        raise Unsupported(f"axes {list(axes)}")
    begin, strides, counts = [0] * x.rank, [1] * x.rank, list(x.shape)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step == 0:
            raise Unsupported("steps of 0")
        taken = range(x.shape[axis])[slice(start, end if not (step < 0 and end < -x.shape[axis]) else None, step)]
        begin[axis], strides[axis], counts[axis] = (taken.start if taken else 0), step, len(taken)
    if 0 in counts:
        raise Unsupported("an empty output")
    return (part_of(net, x, begin, strides, counts),)


_MOST_SPLIT = 4
"""Dimensions of TFLM's SPLIT."""


def _split(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, axis = node.value(0), axis_of(node.integer("axis"), node.value(0).rank)
    sizes = node.integers("split") if node.version < 13 else node.numbers(1, "split")
    count = len(node.outputs)
    if node.version >= 18 and node.integer("num_outputs", count) != count:
        raise Unsupported("num_outputs that is not their number")
    if sizes is None:
        each = -(-x.shape[axis] // count)
        if node.version < 18 and x.shape[axis] % count:
            raise Unsupported(f"{x.shape[axis]} in {count} parts")
        sizes = tuple(min(each, x.shape[axis] - i * each) for i in range(count))
    if len(sizes) != count or sum(sizes) != x.shape[axis] or min(sizes) < 1:
        raise Unsupported(f"split {list(sizes)} of {x.shape[axis]}")
    if count == 1:
        return (x,)
    tensor, stored_axis = x.tensor, x.order.index(axis)
    shapes = [x.shape[:axis] + (n,) + x.shape[axis + 1 :] for n in sizes]
    stored = [tuple(shape[i] for i in x.order) for shape in shapes]
    op = "SPLIT" if len(set(sizes)) == 1 else "SPLIT_V"
    kept = net.tensors[tensor]
    around = (prod(kept.shape[:stored_axis]), prod(kept.shape[stored_axis + 1 :]))
    flat = len(kept.shape) > _MOST_SPLIT  # what lies around the axis is then one dimension before and one behind
    split = [(around[0], n, around[1]) for n in sizes] if flat else stored
    if flat:
        tensor, stored_axis = net.reshaped(tensor, (around[0], x.shape[axis], around[1])), 1
    parts = net.emit_all(op, [tensor], split, SplitAttrs(stored_axis), kept.dtype, kept.quant)
    return tuple(
        net.made(shape, net.reshaped(part, last) if flat else part, x.order, x.dtype)
        for shape, part, last in zip(shapes, parts, stored, strict=True)
    )



def _concat(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    values = [node.value(i) for i in range(len(node.inputs))]
    rank = values[0].rank
    if any(value.rank != rank or value.dtype is not values[0].dtype for value in values):
        raise Unsupported("inputs of different ranks or types")
    axis = axis_of(node.integer("axis"), rank)
    if len(values) == 1:
        return (values[0],)
    order = common_order(net, values, rank)
    tensors = [net.stored(value, order) for value in values]
    shape = list(values[0].shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    return (net.made(shape, joined(net, tensors, order.index(axis)), order, values[0].dtype),)



def _from_the_start(net: Network, indices: int, size: int) -> int:
    """Indices without those below 0, which count from the end in ONNX, and which GATHER does not take."""
    stored = net.tensors[indices]
    made = writer_of(net, indices)
    if made is not None and isinstance(made.attrs, ArgAttrs):
        return indices
    zero, length = (net.constant(np.array([n], np.int32)) for n in (0, size))
    below = net.emit("LESS", [indices, zero], stored.shape, None, DType.BOOL)
    one = net.emit("CAST", [below], stored.shape, None, DType.INT32)
    clamp = BinaryAttrs(DType.INT32.range)
    more = net.emit("MUL", [one, length], stored.shape, clamp)
    return net.emit("ADD", [indices, more], stored.shape, clamp)


def writer_of(net: Network, tensor: int) -> Node | None:
    """The operator that computes a tensor; None for an input."""
    index = net.producer(tensor)
    return None if index is None else net.nodes[index]


def _gather(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, indices = node.value(0), node.value(1)
    axis = axis_of(node.integer("axis"), x.rank)
    must_be(indices, DType.INT32, DType.INT64)
    size = x.shape[axis]
    if indices.data is None:
        places = _from_the_start(net, net.stored(indices), size)
    else:
        found = np.asarray(indices.data, np.int64)
        if found.size == 0 or int(found.min()) < -size or int(found.max()) >= size:
            raise Unsupported(f"indices outside {size}")
        places = net.constant((found % size).astype(np.int32).reshape(indices.shape), indices.name)
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if not shape:
        raise Unsupported("a scalar")
    source = net.stored(x)
    return (
        net.made(shape, net.emit("GATHER", [source, places], shape, GatherAttrs(axis, 0)), dtype=x.dtype),
    )


# --- repeated and padded ---------------------------------------------------------------------------------------------


def _expand(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    wanted = node.numbers(1, "a shape")
    shape = tuple(int(n) for n in np.broadcast_shapes(x.shape, wanted or ()))
    return (repeated(net, x, shape),)



def _tile(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    repeats = node.numbers(1, "repeats")
    if repeats is None or len(repeats) != x.rank or min(repeats) < 1:
        raise Unsupported(f"repeats {repeats}")
    order = x.order or identity(x.rank)
    tensor = net.stored(x, order)
    for place, axis in enumerate(order):
        times = repeats[axis]
        if times == 1:
            continue
        if times > 10:
            raise Unsupported("more than ten repeats")
        tensor = joined(net, [tensor] * times, place)
    return (net.made([n * r for n, r in zip(x.shape, repeats, strict=True)], tensor, order, x.dtype),)


def _pairs(node: OnnxNode, rank: int) -> list[tuple[int, int]]:
    pads = node.integers("pads") if node.version < 11 else node.numbers(1, "pads")
    axes = node.numbers(3, "axes") if node.version >= 18 else None
    axes = tuple(range(rank)) if axes is None else tuple(axis_of(a, rank) for a in axes)
    if pads is None or len(pads) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise Unsupported("pads that are not two a dimension")
    pairs = [(0, 0)] * rank
    for i, axis in enumerate(axes):
        pairs[axis] = pads[i], pads[i + len(axes)]
    return pairs


def _pad(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, mode = node.value(0), node.text("mode", "constant")
    pairs = _pairs(node, x.rank)
    if x.data is not None or x.columns is not None:
        raise Unsupported("a constant padded")
    value = node.real("value") if node.version < 11 else node.scalar(2, "a padding value") or 0.0
    if any(e < 0 for pair in pairs for e in pair):
        counts = [n + min(a, 0) + min(b, 0) for n, (a, b) in zip(x.shape, pairs, strict=True)]
        if min(counts) < 1:
            raise Unsupported("pads that leave nothing")
        if mode != "constant":
            raise Unsupported(f"negative pads of mode {mode}")
        x = part_of(net, x, [max(-a, 0) for a, _ in pairs], [1] * x.rank, counts)
        pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    shape = [n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True)]
    edges = tuple(pairs[i] for i in x.order)
    stored = [shape[i] for i in x.order]
    if mode == "constant":
        return (net.made(shape, _constant_pad(net, x.tensor, edges, stored, value), x.order, x.dtype),)
    if mode != "reflect":
        raise Unsupported(f"mode {mode}")
    attrs = MirrorAttrs(edges, symmetric=False)
    return (net.made(shape, net.emit("MIRROR_PAD", [x.tensor], stored, attrs), x.order, x.dtype),)


def _constant_pad(net: Network, x: int, edges: tuple[tuple[int, int], ...], shape: Sequence[int], value: float) -> int:
    if not any(e for pair in edges for e in pair):
        return x
    if not isfinite(value):
        raise Unsupported(f"a padding value of {value}")
    if value == int(value):
        size = len(edges)
        if size > 4:
            raise Unsupported(f"padding of {size} dimensions")
        return net.emit("PADV2" if value else "PAD", [x], shape, PadAttrs(edges, int(value)))
    dtype = net.tensors[x].dtype.numpy
    for axis, (before, after) in enumerate(edges):  # PADV2 here has whole numbers only
        parts = []
        for count in (before, after):
            now = list(net.tensors[x].shape)
            now[axis] = count
            parts.append(net.constant(np.full(now, value, dtype)) if count else None)
        joins = [t for t in (parts[0], x, parts[1]) if t is not None]
        x = joined(net, joins, axis)
    return x


# --- blocks ----------------------------------------------------------------------------------------------------------


def _depth_to_space(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, block, mode = node.value(0), node.integer("blocksize"), node.text("mode", "DCR")
    if x.rank != 4 or block < 1 or x.shape[1] % (block * block):
        raise Unsupported(f"blocks of {block} in {list(x.shape)}")
    n, c, h, w = x.shape
    deep = c // (block * block)
    if mode == "DCR":
        stored = net.stored(x, channels_last(4))
        y = net.emit("DEPTH_TO_SPACE", [stored], (n, h * block, w * block, deep), BlockAttrs(block))
        return (net.made((n, deep, h * block, w * block), y, channels_last(4), x.dtype),)
    if mode != "CRD":
        raise Unsupported(f"mode {mode}")
    parts = net.reshaped(net.stored(x), (n * deep, block, block, h * w))
    if n * deep * h == 0:
        raise Unsupported("an empty input")
    split = net.reshaped(parts, (n * deep, block, block, h, w))
    moved = net.transposed(split, (0, 3, 1, 4, 2))
    return (net.made((n, deep, h * block, w * block), net.reshaped(moved, (n, deep, h * block, w * block))),)


def _space_to_depth(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, block = node.value(0), node.integer("blocksize")
    if x.rank != 4 or block < 1 or x.shape[2] % block or x.shape[3] % block or node.text("mode", "DCR") != "DCR":
        raise Unsupported(f"blocks of {block} in {list(x.shape)}")
    n, c, h, w = x.shape
    shape = (n, c * block * block, h // block, w // block)
    stored = net.stored(x, channels_last(4))
    y = net.emit("SPACE_TO_DEPTH", [stored], (n, h // block, w // block, c * block * block), BlockAttrs(block))
    return (net.made(shape, y, channels_last(4), x.dtype),)


def _versions(*own: int) -> Callable[..., Lowering]:
    return lambda lower: Lowering(lower, (*own, *_GROWING))


LOWERINGS = {
    "Reshape": _versions(5, 13, 14, 19)(_reshape),
    "Flatten": _versions(1, 9, 11, 13)(_flatten),
    "Squeeze": _versions(1, 11, 13)(_squeeze),
    "Unsqueeze": _versions(1, 11, 13)(_unsqueeze),
    "Identity": _versions(1, 13, 14, 16, 19)(_identity),
    "Dropout": Lowering(_dropout, (7, 10, 12, 13, 22)),
    "Transpose": _versions(1, 13)(_transpose),
    "Slice": Lowering(_slice, (1, 10, 11, 13)),
    "Split": Lowering(_split, (2, 11, 13, 18)),
    "Concat": Lowering(_concat, (4, 11, 13)),
    "Gather": Lowering(_gather, (1, 11, 13)),
    "Expand": Lowering(_expand, (8, 13)),
    "Tile": Lowering(_tile, (6, 13)),
    "Pad": _versions(2, 11, 13, 18, 19)(_pad),
    "DepthToSpace": Lowering(_depth_to_space, (1, 11, 13, 28)),
    "SpaceToDepth": Lowering(_space_to_depth, (1, 13, 28)),
}
