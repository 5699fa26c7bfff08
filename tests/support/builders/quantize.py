"""QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from harness.ir.graph import (
    NoAttrs,
)
from harness.ir.operators.operator import INT8
from harness.ir.operators.quantize import QUANTIZE_TYPES
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import random_shape
from tests.support.draft import Draft, chance, log_uniform, pick, quantization


def quantize(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    types = pick(rng, *QUANTIZE_TYPES) if x is None else INT8[0]
    source, target = types.x, types.y
    if x is None:
        wide = Quantization((log_uniform(rng, 2**-30, 2**-8),), (pick(rng, 0, 5, -70000),))
        x = draft.input(random_shape(rng, 1, 4), wide if source is DType.INT32 else None, dtype=source)
    if source is DType.FLOAT32:
        quant = quantization(rng, target)
    else:
        bits = {DType.INT16: 2**-8, DType.INT32: 2**-20}
        scale = draft.quant(x).scale * log_uniform(rng, 0.3, 4) * bits.get(target, 1) / bits.get(source, 1)
        quant = quantization(rng, target, scale)
        if chance(rng, 0.2):
            quant = Quantization((draft.quant(x).scale,), quant.zero_points)
    return draft.node("QUANTIZE", (x,), (draft.tensor(draft.shape(x), quant, target),), NoAttrs())


def dequantize(draft: Draft, x: int | None = None) -> int:
    if x is None:
        x = draft.input(random_shape(draft.rng, 1, 4), dtype=pick(draft.rng, DType.INT8, DType.UINT8, DType.INT16))
    return draft.node("DEQUANTIZE", (x,), (draft.tensor(draft.shape(x), None, DType.FLOAT32),), NoAttrs())


BUILDERS = {"QUANTIZE": quantize, "DEQUANTIZE": dequantize}
