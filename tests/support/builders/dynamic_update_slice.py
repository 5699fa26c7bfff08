"""DYNAMIC_UPDATE_SLICE whose start is an input: any number, also beyond the tensor."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from harness.quantization.types import DType
from tests.support.builders.common import random_shape
from tests.support.draft import Draft, between, chance, pick


def dynamic_update_slice(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        dtype = pick(rng, *(types.x for types in OPERATORS["DYNAMIC_UPDATE_SLICE"].types))
        x = draft.input(random_shape(rng, 1, 6, 4), dtype=dtype)
    shape = draft.shape(x)
    size = tuple(between(rng, 1, n) for n in shape)
    update = draft.tensor(size, draft.tensors[x].quant, draft.tensors[x].dtype)
    draft.inputs.append(update)
    dtype = pick(rng, DType.INT32, DType.INT64)
    if chance(rng, 0.5):
        start = draft.constant(rng.integers(-2, max(shape) + 2, len(shape)).astype(dtype.numpy), None)
    else:
        start = draft.input((len(shape),), dtype=dtype)
    return draft.node("DYNAMIC_UPDATE_SLICE", (x, update, start), (draft.like(x, shape),), NoAttrs())


BUILDERS = {"DYNAMIC_UPDATE_SLICE": dynamic_update_slice}
