"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.operators import OPERATORS
from harness.ir.operators.resize_nearest import ResizeAttrs
from tests.support.draft import Draft, between, pick


def _resize(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        return _resized(draft, op, x)

    return build


def _resized(draft: Draft, op: str, x: int | None) -> int:
    rng = draft.rng
    if x is None:
        types = [types.x for types in OPERATORS[op].types]
        x = draft.input(tuple(between(rng, 1, n) for n in (2, 9, 9, 6)), dtype=pick(rng, *types))
    batch, height, width, depth = draft.shape(x)
    size = pick(rng, (2 * height, 2 * width), (between(rng, 1, 20), between(rng, 1, 20)))
    attrs = ResizeAttrs(*pick(rng, (False, False), (True, False), (False, True)))
    return draft.node(op, (x,), (draft.like(x, (batch, *size, depth)),), attrs)


BUILDERS = {op: _resize(op) for op in ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")}
