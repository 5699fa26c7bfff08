"""FULLY_CONNECTED of weights that are an input."""

from __future__ import annotations

from math import prod

import numpy as np

from harness.ir.graph import ABSENT
from harness.ir.operators.dynamic_fully_connected import DynamicAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import fused, random_shape
from tests.support.draft import Draft, between, chance, pick, quantization


def dynamic_fully_connected(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    keep = chance(rng, 0.3)
    if x is None:
        dtype = pick(rng, DType.INT8, DType.FLOAT32)
        x = draft.input((*random_shape(rng, 1, 2 if keep else 1, 4), between(rng, 1, 40)), dtype=dtype)
    shape, dtype = draft.shape(x), draft.tensors[x].dtype
    rows, depth, channels = prod(shape[:-1]), shape[-1], between(rng, 1, 9)
    w = draft.input((channels, depth), dtype=dtype)
    out = (*shape[:-1], channels) if keep else (rows, channels)
    if dtype is DType.FLOAT32:
        y = draft.tensor(out, None, dtype)
        bias = pick(rng, "none", "input", "constant")
        b = ABSENT
        if bias == "input":
            b = draft.input((channels,), dtype=dtype)
        elif bias == "constant":
            b = draft.constant(rng.normal(0, 1, channels).astype(np.float32), None)
    else:
        real = draft.quant(x).scale * draft.quant(w).scale
        y = draft.tensor(out, quantization(rng, scale=real * depth * float(rng.uniform(20, 90))))
        values = rng.integers(-5000, 5000, channels).astype(np.int32)
        scale = float(np.float32(real))
        b = draft.constant(values, Quantization((scale,), (0,))) if chance(rng, 0.5) else ABSENT
    attrs = DynamicAttrs(fused(rng, draft.tensors[y]), keep)
    return draft.node("DYNAMIC_FULLY_CONNECTED", (x, w, b), (y,), attrs)


BUILDERS = {"DYNAMIC_FULLY_CONNECTED": dynamic_fully_connected}
