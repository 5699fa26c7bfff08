"""RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

from harness.ir.operators import OPERATORS
from harness.ir.operators.resize_nearest import ResizeAttrs
from tests.support.draft import Draft, between, pick


def resize_nearest(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        types = [types.x for types in OPERATORS["RESIZE_NEAREST_NEIGHBOR"].types]
        x = draft.input(tuple(between(rng, 1, n) for n in (2, 9, 9, 6)), dtype=pick(rng, *types))
    batch, height, width, depth = draft.shape(x)
    size = pick(rng, (2 * height, 2 * width), (between(rng, 1, 20), between(rng, 1, 20)))
    attrs = ResizeAttrs(*pick(rng, (False, False), (True, False), (False, True)))
    return draft.node("RESIZE_NEAREST_NEIGHBOR", (x,), (draft.like(x, (batch, *size, depth)),), attrs)


BUILDERS = {"RESIZE_NEAREST_NEIGHBOR": resize_nearest}
