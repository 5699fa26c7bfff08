"""MEAN."""

from __future__ import annotations

from harness.ir.operators.mean import MeanAttrs
from tests.support.builders.common import anything
from tests.support.draft import QUANTIZED, Draft, between, chance, log_uniform, quantization


def mean(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="MEAN")
    shape = draft.shape(x)
    axes = tuple(a for a in range(len(shape)) if chance(rng, 0.5)) or (between(rng, 0, len(shape) - 1),)
    if len(shape) == 4 and chance(rng, 0.4):
        axes = (1, 2)
    keep = chance(rng, 0.5)
    out = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    dtype = draft.tensors[x].dtype
    if dtype in QUANTIZED and chance(rng, 0.6):
        y = draft.tensor(out, quantization(rng, dtype, draft.quant(x).scale * log_uniform(rng, 0.2, 3)), dtype)
    else:
        y = draft.like(x, out)
    return draft.node("MEAN", (x,), (y,), MeanAttrs(axes, keep))


BUILDERS = {"MEAN": mean}
