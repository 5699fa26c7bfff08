"""PACK and UNPACK."""

from __future__ import annotations

from harness.ir.operators.packing import PackAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft, between


def pack(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, 0, 3, kind="PACK")
    shape = draft.shape(x)
    others = [draft.input(shape, draft.tensors[x].quant, draft.tensors[x].dtype) for _ in range(between(rng, 0, 4))]
    parts = [x, *others]
    parts = [parts[i] for i in rng.permutation(len(parts))]
    axis = between(rng, 0, len(shape))
    y = draft.like(x, (*shape[:axis], len(parts), *shape[axis:]))
    return draft.node("PACK", tuple(parts), (y,), PackAttrs(axis))


def unpack(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 4, kind="UNPACK")
    shape = draft.shape(x)
    axis = between(draft.rng, 0, len(shape) - 1)
    outputs = tuple(draft.like(x, shape[:axis] + shape[axis + 1 :]) for _ in range(shape[axis]))
    return draft.node("UNPACK", (x,), outputs, PackAttrs(axis))


BUILDERS = {"PACK": pack, "UNPACK": unpack}
