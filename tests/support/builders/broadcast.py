"""BROADCAST_TO, FILL, ZEROS_LIKE, BROADCAST_ARGS and SHAPE."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from harness.quantization.types import DType
from tests.support.builders.common import anything, random_shape
from tests.support.draft import Draft, between, chance, pick


def broadcast_to(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        types = [types.x for types in OPERATORS["BROADCAST_TO"].types]
        shape = tuple(1 if chance(rng, 0.5) else n for n in random_shape(rng, 1, 4))
        x = draft.input(shape, dtype=pick(rng, *types))
    wanted = tuple(between(rng, 1, 4) if n == 1 else n for n in draft.shape(x))
    more = tuple(between(rng, 1, 3) for _ in range(between(rng, 0, 5 - len(wanted))))
    return draft.node("BROADCAST_TO", (x,), (draft.like(x, (*more, *wanted)),), NoAttrs())


def fill(draft: Draft, x: int | None = None) -> int:
    dtype = pick(draft.rng, *(types.x for types in OPERATORS["FILL"].types))
    value = draft.input((), dtype=dtype)
    return draft.node("FILL", (value,), (draft.like(value, random_shape(draft.rng, 1, 4)),), NoAttrs())


def zeros_like(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 4, kind="ZEROS_LIKE")
    return draft.node("ZEROS_LIKE", (x,), (draft.like(x, draft.shape(x)),), NoAttrs())


def shape(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 4, kind="SHAPE")
    y = draft.tensor((len(draft.shape(x)),), None, DType.INT32)
    return draft.node("SHAPE", (x,), (y,), NoAttrs())


def broadcast_args(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    whole = np.array(random_shape(rng, 1, 4), np.int32)
    part = np.where(rng.random(len(whole)) < 0.5, 1, whole).astype(np.int32)[between(rng, 0, len(whole) - 1) :]
    # a graph has an input, though this operator reads none
    other = draft.input((1,))
    draft.node("RESHAPE", (other,), (draft.like(other, (1, 1)),), NoAttrs())
    inputs = tuple(draft.constant(v, None) for v in (whole, part))
    return draft.node("BROADCAST_ARGS", inputs, (draft.tensor(whole.shape, None, DType.INT32),), NoAttrs())


BUILDERS = {
    "BROADCAST_TO": broadcast_to,
    "FILL": fill,
    "ZEROS_LIKE": zeros_like,
    "SHAPE": shape,
    "BROADCAST_ARGS": broadcast_args,
}
