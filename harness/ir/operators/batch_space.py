"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, NHWC or N*C: blocks of pixels as batches, and back (dilation by hand)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TypeAlias, cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import MAX_WINDOW, REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

Pairs: TypeAlias = tuple[tuple[int, int], ...]
_MAX_BLOCKS = 256


@dataclass(frozen=True)
class BatchAttrs(Attrs):
    """SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND.

    Attributes:
        block: pixels of a block in each spatial dimension.
        edges: (before, after) pixels that are padded, or cropped.
    """

    block: tuple[int, ...]
    edges: Pairs


def _verify(v: View, batches: Tensor, image: Tensor) -> None:
    """Checks the tensor with more batches against the one with the larger image."""
    attrs = v.attrs(BatchAttrs)
    spatial = len(attrs.block)
    sound = 1 <= spatial <= 2 and len(batches.shape) == len(image.shape) == spatial + 2 == len(attrs.edges) + 2
    v.need(sound, f"has blocks {list(attrs.block)} in {list(image.shape)}", "tinyhil takes NHWC, or N, length, C")
    v.need(all(b >= 1 for b in attrs.block) and all(e >= 0 for pair in attrs.edges for e in pair), "has no blocks")
    padded = [n + a + b for n, (a, b) in zip(image.shape[1:-1], attrs.edges, strict=True)]
    whole = all(n % b == 0 for n, b in zip(padded, attrs.block, strict=True))
    v.need(whole, f"has blocks of {list(attrs.block)} in {padded}")
    inside = tuple(n // b for n, b in zip(padded, attrs.block, strict=True))
    count = int(np.prod(attrs.block))
    v.need(count <= _MAX_BLOCKS, f"has {count} blocks")
    v.shape(batches, (image.shape[0] * count, *inside, image.shape[-1]))
    v.moved(batches, image)


def _verify_space(v: View) -> None:
    _verify(v, v.y(), v.x())


def _verify_batch(v: View) -> None:
    _verify(v, v.x(), v.y())


def _zero(tensor: Tensor) -> int:
    return 0 if tensor.quant is None or tensor.dtype is DType.FLOAT32 else tensor.quant.zero_point


def space_to_batch(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The image padded with the zero point; the pixels at one place of all blocks are a batch.

    TFLM pads with what happens to lie in its memory (space_to_batch_nd.cc never sets output_offset).
    """
    attrs = cast(BatchAttrs, op.attrs)
    x = np.pad(array(inputs, 0), ((0, 0), *attrs.edges, (0, 0)), constant_values=op.y.dtype.numpy.type(_zero(op.y)))
    places = product(*(range(b) for b in attrs.block))
    cut = [x[(slice(None), *(slice(p, None, b) for p, b in zip(at, attrs.block, strict=True)))] for at in places]
    return (np.concatenate(cut).reshape(op.y.shape),)


def batch_to_space(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Batches interleaved as the pixels of blocks, then cropped."""
    attrs, x = cast(BatchAttrs, op.attrs), array(inputs, 0)
    places = list(product(*(range(b) for b in attrs.block)))
    size = [n * b for n, b in zip(x.shape[1:-1], attrs.block, strict=True)]
    whole = np.empty((len(x) // len(places), *size, x.shape[-1]), x.dtype)
    for at, part in zip(places, np.split(x, len(places)), strict=True):
        whole[(slice(None), *(slice(p, None, b) for p, b in zip(at, attrs.block, strict=True)))] = part
    kept = (slice(a, n - b) for n, (a, b) in zip(size, attrs.edges, strict=True))
    return (np.ascontiguousarray(whole[(slice(None), *kept)]).reshape(op.y.shape),)


def _moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    """One move a place in the block: pixel p of the image is pixel (p + before) // block of the batch."""
    attrs = cast(BatchAttrs, node.attrs)
    x, y = graph.tensors[node.inputs[0]].shape, graph.tensors[node.outputs[0]].shape
    to_batch = node.op == "SPACE_TO_BATCH_ND"
    image, batches = (x, y) if to_batch else (y, x)
    of_image, of_batches = dense(image), dense(batches)
    found = []
    for number, at in enumerate(product(*(range(b) for b in attrs.block))):
        counts, first, place = [image[0]], 0, number * image[0] * of_batches[0]
        for axis, (p, b, (before, _)) in enumerate(zip(at, attrs.block, attrs.edges, strict=True), start=1):
            skipped = max(-(-(before - p) // b), 0)  # pixels of this place that lie in the edge
            start = skipped * b + p - before
            counts.append(max(-(-(image[axis] - start) // b), 0))
            first += start * of_image[axis]
            place += skipped * of_batches[axis]
        counts.append(image[-1])
        if 0 in counts:
            continue
        steps = (of_image[0], *(s * b for s, b in zip(of_image[1:-1], attrs.block, strict=True)), 1)
        if to_batch:
            found.append(Move(loops(counts, steps, of_batches), start=first, to=place))
        else:
            found.append(Move(loops(counts, of_batches, steps), start=place, to=first))
    return tuple(found)


def _filler(graph: Graph, node: Node) -> int | None:
    padded = node.op == "SPACE_TO_BATCH_ND" and any(map(any, cast(BatchAttrs, node.attrs).edges))
    return _zero(graph.tensors[node.outputs[0]]) if padded else None


def _changes_nothing(graph: Graph, node: Node) -> bool:
    attrs = cast(BatchAttrs, node.attrs)
    return set(attrs.block) == {1} and not any(map(any, attrs.edges))


def _read(op: Reading) -> Read:
    op.count(3)
    block, flat = op.constant(1, "block"), op.constant(2, "edges")
    sound = len(flat) == 2 * len(block) and all(1 <= b <= MAX_WINDOW for b in block)
    if not sound or any(not 0 <= n <= MAX_WINDOW for n in flat):
        raise damaged(f"{op.place}: {op.name} with blocks {list(block)} and edges {list(flat)}")
    return op.ids(0), BatchAttrs(block, tuple(zip(flat[::2], flat[1::2], strict=True)))


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(BatchAttrs, node.attrs)
    block = to.constant("block", attrs.block)
    edges = to.constant("edges", np.array(attrs.edges, np.int32).reshape(-1, 2))
    options = "SpaceToBatchND" if node.op == "SPACE_TO_BATCH_ND" else "BatchToSpaceND"
    return OperatorDraft(node.op, (*node.inputs, block, edges), node.outputs, options)


OPERATORS = (
    Operator(
        "SPACE_TO_BATCH_ND",
        _verify_space,
        space_to_batch,
        attrs=BatchAttrs,
        types=same(DType.FLOAT32, DType.INT8),
        tflite=TfliteForm(38, _write, _read, operands=REST),
        changes_nothing=_changes_nothing,
        moves=_moves,
        filler=_filler,
    ),
    Operator(
        "BATCH_TO_SPACE_ND",
        _verify_batch,
        batch_to_space,
        attrs=BatchAttrs,
        types=same(DType.FLOAT32, DType.INT8),
        tflite=TfliteForm(37, _write, _read, operands=REST),
        changes_nothing=_changes_nothing,
        moves=_moves,
        filler=_filler,
    ),
)
