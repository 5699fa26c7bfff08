"""Networks of many operators, a good part of whose channels are dead: for passes and the planner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.quantization.types import DType
from tests.support.builders import BUILDERS, BYTE_FUNCTIONS
from tests.support.builders.common import image
from tests.support.draft import Draft, between, chance, pick, quantization, values


def sparse(draft: Draft) -> int:
    """A network over an image; the tensor id of its last output."""
    rng = draft.rng
    draft.zeros = 0.4
    x = BUILDERS["CONV_2D"](draft, image(draft, None))
    for _ in range(between(rng, 1, 6)):
        if not 1e-5 < draft.quant(x).scale < 1e3:
            return x  # scales that many layers drew apart fit no table
        x = STEPS[pick(rng, *STEPS)](draft, x)
    return _head(draft, x) if 1e-5 < draft.quant(x).scale < 1e3 else x


def _head(draft: Draft, x: int) -> int:
    rng = draft.rng
    kind = pick(rng, "none", "mean", "flat", "SOFTMAX", "LOGISTIC")
    if kind == "mean":
        x = BUILDERS["MEAN"](draft, x)
        return BUILDERS["FULLY_CONNECTED"](draft, x) if draft.shape(x) and chance(rng, 0.5) else x
    if kind == "flat":
        shape = draft.shape(x)
        flat = draft.tensor((shape[0], int(np.prod(shape[1:]))), draft.quant(x))
        draft.node("RESHAPE", (x,), (flat,), NoAttrs())
        return BUILDERS["FULLY_CONNECTED"](draft, flat)
    return x if kind == "none" else BUILDERS[kind](draft, x)


def _two(op: str) -> Callable[[Draft, int], int]:
    """Two branches from one tensor, joined element by element."""

    def build(draft: Draft, x: int) -> int:
        rng = draft.rng
        a, b = (BUILDERS[pick(rng, *BYTE_FUNCTIONS)](draft, x) for _ in range(2))
        return joined(draft, op, a, b)

    return build


def _residual(draft: Draft, x: int) -> int:
    """x + depthwise(x) where the shapes agree, else their first."""
    y = BUILDERS["DEPTHWISE_CONV_2D"](draft, x)
    return joined(draft, "ADD", x, y) if draft.shape(x) == draft.shape(y) else y


def joined(draft: Draft, op: str, a: int, b: int) -> int:
    """a and b joined by ADD or MUL."""
    sa, sb = draft.quant(a).scale, draft.quant(b).scale
    real = (sa + sb) * 0.7 if op == "ADD" else sa * sb * 60
    y = draft.tensor(draft.shape(a), quantization(draft.rng, scale=real))
    return draft.node(op, (a, b), (y,), BinaryAttrs((-128, 127)))


def _scaled(op: str) -> Callable[[Draft, int], int]:
    """With a constant, of one value or one a channel, its zero point among them."""

    def build(draft: Draft, x: int) -> int:
        rng = draft.rng
        quant = quantization(rng)
        data = values(rng, (draft.shape(x)[-1],) if chance(rng, 0.7) else (1,), DType.INT8)
        data = np.where(rng.random(data.shape) < 0.3, quant.zero_point, data).astype(np.int8)
        return joined(draft, op, x, draft.constant(data, quant))

    return build


def _concat(draft: Draft, x: int) -> int:
    """x beside a constant, an input or its own maxima, along any dimension but the batch."""
    rng = draft.rng
    axis = pick(rng, 3, 3, 1, 2)
    shape = list(draft.shape(x))
    shape[axis] = between(rng, 1, 6)
    other = pick(rng, "constant", "input", "itself", "pooled")
    if other == "constant":
        data = values(rng, tuple(shape), DType.INT8)
        data[..., rng.random(shape[3]) < 0.5] = 5
        part = draft.constant(data, draft.quant(x))
    elif other == "input":
        part = draft.input(tuple(shape), draft.quant(x))
    else:
        part = x if other == "itself" else BUILDERS["RELU6"](draft, x)
    whole = list(draft.shape(x))
    whole[axis] += draft.shape(part)[axis]
    y = draft.tensor(tuple(whole), draft.quant(x))
    parts = (x, part) if chance(rng, 0.5) else (part, x)
    return draft.node("CONCATENATION", parts, (y,), ConcatAttrs(axis, (-128, 127)))


def _split(draft: Draft, x: int) -> int:
    """Two parts, of which one goes on and the other is an output."""
    rng = draft.rng
    axis = pick(rng, 3, 3, 1, 2)
    shape = draft.shape(x)
    if shape[axis] < 2:
        return x
    first = between(rng, 1, shape[axis] - 1)
    outputs = tuple(
        draft.tensor((*shape[:axis], size, *shape[axis + 1 :]), draft.quant(x)) for size in (first, shape[axis] - first)
    )
    draft.node("SPLIT_V", (x,), outputs, SplitAttrs(axis))
    return pick(rng, *outputs)


def _slice(draft: Draft, x: int) -> int:
    rng = draft.rng
    shape = draft.shape(x)
    begin = tuple(between(rng, 0, n - 1) if i else 0 for i, n in enumerate(shape))
    counts = tuple(between(rng, 1, n - b) if i else n for i, (n, b) in enumerate(zip(shape, begin, strict=True)))
    strides = (1, pick(rng, 1, -1) if counts[1] == 1 else 1, 1, 1)
    y = draft.tensor(counts, draft.quant(x))
    return draft.node("STRIDED_SLICE", (x,), (y,), SliceAttrs(begin, strides, counts))


def _plain(op: str) -> Callable[[Draft, int], int]:
    return lambda draft, x: BUILDERS[op](draft, x)


STEPS: Mapping[str, Callable[[Draft, int], int]] = {
    **{
        op: _plain(op)
        for op in ("CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "RELU", "RELU6", "QUANTIZE", "PAD")
    },
    "conv again": _plain("CONV_2D"),
    "depthwise again": _plain("DEPTHWISE_CONV_2D"),
    "two added": _two("ADD"),
    "two multiplied": _two("MUL"),
    "residual": _residual,
    "add constant": _scaled("ADD"),
    "multiply constant": _scaled("MUL"),
    "concat": _concat,
    "split": _split,
    "slice": _slice,
}
