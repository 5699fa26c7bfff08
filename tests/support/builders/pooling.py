"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.window import PoolAttrs
from tests.support.builders.common import fused, image, steps, window
from tests.support.draft import Draft, between, pick


def _pool(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = image(draft, x, kind=op)
        batch, height, width, depth = draft.shape(x)
        kernel = pick(rng, (2, 2), (height, width), (between(rng, 1, 5), between(rng, 1, 5)))
        stride, _ = steps(rng)
        pads, size = window(rng, (height, width), kernel, stride, (1, 1))
        y = draft.like(x, (batch, *size, depth))
        return draft.node(op, (x,), (y,), PoolAttrs(kernel, stride, pads, fused(rng, draft.tensors[y])))

    return build


BUILDERS = {"AVERAGE_POOL_2D": _pool("AVERAGE_POOL_2D"), "MAX_POOL_2D": _pool("MAX_POOL_2D")}
