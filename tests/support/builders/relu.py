"""RELU and RELU6."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from tests.support.builders.common import anything
from tests.support.draft import QUANTIZED, Draft, chance, log_uniform, quantization


def relu(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, kind="RELU")
    dtype = draft.tensors[x].dtype
    if dtype in QUANTIZED and chance(draft.rng, 0.5):
        scale = draft.quant(x).scale * log_uniform(draft.rng, 0.1, 4)
        y = draft.tensor(draft.shape(x), quantization(draft.rng, dtype, scale), dtype)
    else:
        y = draft.like(x, draft.shape(x))
    return draft.node("RELU", (x,), (y,), NoAttrs())


def relu6(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, kind="RELU6")
    return draft.node("RELU6", (x,), (draft.like(x, draft.shape(x)),), NoAttrs())


BUILDERS = {"RELU": relu, "RELU6": relu6}
