"""SOFTMAX and LOG_SOFTMAX."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import PROBABILITY, WIDE_OUTPUT, random_shape
from tests.support.draft import Draft, between, chance, log_uniform, pick


def softmax(draft: Draft, x: int | None = None) -> int:
    rng, alone = draft.rng, x is None
    if x is None:
        depth = between(rng, 1, 300) if chance(rng, 0.2) else between(rng, 1, 20)
        dtype = pick(rng, DType.INT8, DType.INT8, *(types.x for types in OPERATORS["SOFTMAX"].types))
        x = draft.input((*random_shape(rng, 1, 3, 4), depth), dtype=dtype)
    beta = 1.0 if chance(rng, 0.7) else log_uniform(rng, 0.1, 8)
    dtype = draft.tensors[x].dtype
    quant = {DType.FLOAT32: None, DType.INT16: WIDE_OUTPUT}.get(dtype, PROBABILITY)
    if dtype is DType.INT16:
        beta = min(beta, 4.9 / draft.quant(x).scale)
    if alone and dtype is DType.INT8 and chance(rng, 0.3):
        scale = pick(rng, 1 / 65536, float(np.float32(1 / 65535)))
        quant, dtype = Quantization((scale,), (-32768,)), DType.INT16
    y = draft.tensor(draft.shape(x), quant, dtype)
    return draft.node("SOFTMAX", (x,), (y,), SoftmaxAttrs(float(np.float32(beta))))


def log_softmax(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        dtype = pick(rng, DType.INT8, DType.INT8, DType.FLOAT32)
        x = draft.input((*random_shape(rng, 1, 3, 4), between(rng, 1, 20)), dtype=dtype)
    dtype = draft.tensors[x].dtype
    quant = None if dtype is DType.FLOAT32 else Quantization((1 / 16,), (127,))
    return draft.node("LOG_SOFTMAX", (x,), (draft.tensor(draft.shape(x), quant, dtype),), NoAttrs())


BUILDERS = {"SOFTMAX": softmax, "LOG_SOFTMAX": log_softmax}
