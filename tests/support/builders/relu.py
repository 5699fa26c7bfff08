"""RELU and RELU6."""

from __future__ import annotations

from harness.ir.graph import (
    NoAttrs,
)
from tests.support.builders.common import anything
from tests.support.draft import Draft, chance, log_uniform, quantization


def relu(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    quant = draft.quant(x)
    if chance(draft.rng, 0.5):
        quant = quantization(draft.rng, scale=quant.scale * log_uniform(draft.rng, 0.1, 4))
    return draft.node("RELU", (x,), (draft.tensor(draft.shape(x), quant),), NoAttrs())


def relu6(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    return draft.node("RELU6", (x,), (draft.tensor(draft.shape(x), draft.quant(x)),), NoAttrs())


BUILDERS = {"RELU": relu, "RELU6": relu6}
