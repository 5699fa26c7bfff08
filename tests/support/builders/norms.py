"""L2_NORMALIZATION and L2_POOL_2D."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.ir.window import PoolAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import anything, fused, steps, window
from tests.support.draft import Draft, between, pick


def l2_normalization(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 4, kind="L2_NORMALIZATION")
    dtype = draft.tensors[x].dtype
    quant = None if dtype is DType.FLOAT32 else Quantization((1 / 128,), (0,))
    return draft.node("L2_NORMALIZATION", (x,), (draft.tensor(draft.shape(x), quant, dtype),), NoAttrs())


def l2_pool(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = draft.input(tuple(between(rng, 1, n) for n in (2, 9, 9, 6)), dtype=DType.FLOAT32)
    batch, height, width, depth = draft.shape(x)
    kernel = pick(rng, (2, 2), (height, width), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, _ = steps(rng)
    pads, size = window(rng, (height, width), kernel, stride, (1, 1))
    y = draft.like(x, (batch, *size, depth))
    return draft.node("L2_POOL_2D", (x,), (y,), PoolAttrs(kernel, stride, pads, fused(rng, draft.tensors[y])))


BUILDERS = {"L2_NORMALIZATION": l2_normalization, "L2_POOL_2D": l2_pool}
