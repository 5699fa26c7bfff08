"""SLICE and STRIDED_SLICE."""

from __future__ import annotations

from harness.ir.operators.strided_slice import SliceAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft, between, chance, pick


def strided_slice(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="STRIDED_SLICE")
    begin, strides, counts, out = [], [], [], []
    for size in draft.shape(x):
        stride = pick(rng, 1, 1, 2, between(rng, 1, size)) * pick(rng, 1, 1, 1, -1)
        first = between(rng, 0, size - 1)
        room = (size - 1 - first) // stride if stride > 0 else first // -stride
        count = between(rng, 1, room + 1)
        shrink = count == 1 and len(draft.shape(x)) > 1 and chance(rng, 0.4) and stride > 0
        begin.append(first)
        strides.append(stride)
        counts.append(count)
        if not shrink:
            out.append(count)
    y = draft.like(x, tuple(out) or (1,))
    return draft.node("STRIDED_SLICE", (x,), (y,), SliceAttrs(tuple(begin), tuple(strides), tuple(counts)))


def slice_(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, 1, 4, kind="SLICE")
    shape = draft.shape(x)
    begin = tuple(between(rng, 0, n - 1) for n in shape)
    counts = tuple(between(rng, 1, n - b) for n, b in zip(shape, begin, strict=True))
    return draft.node("SLICE", (x,), (draft.like(x, counts),), SliceAttrs(begin, (1,) * len(shape), counts))


BUILDERS = {"STRIDED_SLICE": strided_slice, "SLICE": slice_}
