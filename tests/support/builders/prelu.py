"""PRELU."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from tests.support.builders.common import anything
from tests.support.draft import QUANTIZED, Draft, chance, log_uniform, quantization, values


def prelu(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="PRELU")
    dtype, shape = draft.tensors[x].dtype, draft.shape(x)
    wanted = tuple(n if i == len(shape) - 1 or chance(rng, 0.4) else 1 for i, n in enumerate(shape))
    scaled = dtype in QUANTIZED
    slopes = draft.constant(values(rng, wanted, dtype), quantization(rng, dtype) if scaled else None)
    quant = quantization(rng, dtype, draft.quant(x).scale * log_uniform(rng, 0.3, 4)) if scaled else None
    return draft.node("PRELU", (x, slopes), (draft.tensor(shape, quant, dtype),), NoAttrs())


BUILDERS = {"PRELU": prelu}
