"""CAST."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from tests.support.builders.common import random_shape
from tests.support.draft import QUANTIZED, Draft, pick, quantization


def cast(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    types = OPERATORS["CAST"].types
    if x is not None:
        types = tuple(t for t in types if t.x is draft.tensors[x].dtype)
    chosen = pick(rng, *types)
    if x is None:
        x = draft.input(random_shape(rng, 1, 4), dtype=chosen.x)
    quant = quantization(rng, chosen.y) if chosen.y in QUANTIZED else None
    return draft.node("CAST", (x,), (draft.tensor(draft.shape(x), quant, chosen.y),), NoAttrs())


BUILDERS = {"CAST": cast}
