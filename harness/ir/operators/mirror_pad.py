"""MIRROR_PAD: the input with its own reflection around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node
from harness.ir.operators.moves import Move, dense, loops
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MODES = ("REFLECT", "SYMMETRIC")


@dataclass(frozen=True)
class MirrorAttrs(Attrs):
    """MIRROR_PAD: (before, after) per dimension; `symmetric`: the border elements are repeated."""

    paddings: tuple[tuple[int, int], ...]
    symmetric: bool


def _verify(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(MirrorAttrs)
    v.need(len(attrs.paddings) == len(x.shape), f"pads {list(x.shape)} by {attrs.paddings}")
    most = [n - (not attrs.symmetric) for n in x.shape]
    sound = all(0 <= e <= m for pair, m in zip(attrs.paddings, most, strict=True) for e in pair)
    v.need(sound, f"pads {list(x.shape)} by {attrs.paddings}, more than there is to mirror")
    v.shape(y, tuple(n + a + b for n, (a, b) in zip(x.shape, attrs.paddings, strict=True)))
    v.moved(x, y)


def mirror_pad(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The input with its reflection around it, with or without the border elements."""
    attrs = cast(MirrorAttrs, op.attrs)
    return (np.pad(array(inputs, 0), attrs.paddings, mode="symmetric" if attrs.symmetric else "reflect"),)


def _moves(graph: Graph, node: Node) -> tuple[Move, ...]:
    """Up to three parts a dimension: mirrored before, as it is, mirrored after."""
    attrs, x = cast(MirrorAttrs, node.attrs), graph.tensors[node.inputs[0]].shape
    inward = 0 if attrs.symmetric else 1
    parts = []
    for n, (before, after) in zip(x, attrs.paddings, strict=True):
        # (count, first read, direction, first written)
        found = [(n, 0, 1, before)]
        if before:
            found.append((before, before - 1 + inward, -1, 0))
        if after:
            found.append((after, n - 1 - inward, -1, before + n))
        parts.append(found)
    reading, writing = dense(x), dense(graph.tensors[node.outputs[0]].shape)
    moves = []
    for chosen in product(*parts):
        counts = [count for count, _, _, _ in chosen]
        steps = [step * way for step, (_, _, way, _) in zip(reading, chosen, strict=True)]
        start = sum(step * first for step, (_, first, _, _) in zip(reading, chosen, strict=True))
        to = sum(step * first for step, (_, _, _, first) in zip(writing, chosen, strict=True))
        moves.append(Move(loops(counts, steps, writing), start=start, to=to))
    return tuple(moves)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    return not any(map(any, cast(MirrorAttrs, node.attrs).paddings))


def _read(op: Reading) -> Read:
    op.count(2)
    flat = op.constant(1, "paddings")
    if len(flat) != 2 * len(op.input(0).shape):
        raise damaged(f"{op.place}: paddings {list(flat)} of a tensor of shape {list(op.input(0).shape)}")
    if not op.has_options:
        raise damaged(f"{op.place}: MIRROR_PAD without a mode")  # TFLM takes neither, and mirrors the border too
    pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
    return op.ids(0), MirrorAttrs(pairs, op.choice(4, _MODES, "mode") == "SYMMETRIC")


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(MirrorAttrs, node.attrs)
    paddings = to.constant("paddings", np.array(attrs.paddings, np.int32).reshape(-1, 2))
    return OperatorDraft(
        node.op, (*node.inputs, paddings), node.outputs, "MirrorPad", {"Mode": int(attrs.symmetric)}
    )


OPERATORS = (
    Operator(
        "MIRROR_PAD",
        _verify,
        mirror_pad,
        attrs=MirrorAttrs,
        types=same(DType.FLOAT32, DType.INT8),
        tflite=TfliteForm(100, _write, _read, options=77, operands=REST),
        changes_nothing=_changes_nothing,
        moves=_moves,
    ),
)
