"""EMBEDDING_LOOKUP of a table that is a constant or an input, by numbers that are constants or computed at run time."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import numbers_below, random_shape
from tests.support.draft import Draft, between, chance, pick, values


def embedding_lookup(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    known = x is not None and len(draft.shape(x)) >= 2
    shape = draft.shape(x) if known else random_shape(rng, 2, 3)
    numbers = numbers_below(draft, (between(rng, 1, 5),), shape[0])
    if not known:
        dtype = pick(rng, DType.INT8, DType.FLOAT32)
        quant = Quantization((2.0**-7,), (0,)) if dtype is DType.INT8 else None
        if draft.tensors[numbers].data is None and chance(rng, 0.5):
            x = draft.constant(values(rng, shape, dtype), quant)
        else:
            x = draft.input(shape, quant, dtype)
    table = draft.tensors[x]
    picked = (*draft.shape(numbers), *table.shape[1:])
    hybrid = table.dtype is DType.INT8 and table.q.zero_point == 0 and chance(rng, 0.5)
    y = draft.tensor(picked, None, DType.FLOAT32) if hybrid else draft.like(x, picked)
    return draft.node("EMBEDDING_LOOKUP", (x, numbers), (y,), NoAttrs())


BUILDERS = {"EMBEDDING_LOOKUP": embedding_lookup}
