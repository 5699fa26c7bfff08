"""RESHAPE, SQUEEZE and EXPAND_DIMS."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from harness.quantization.types import DType
from tests.support.builders.common import anything, random_shape
from tests.support.draft import Draft, between, chance, pick


def reshape(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, kind="RESHAPE")
    sizes = list(draft.shape(x))
    draft.rng.shuffle(sizes)
    cut = between(draft.rng, 0, len(sizes) - 1)
    shape = (*sizes[:cut], int(np.prod(sizes[cut:])), *[1] * between(draft.rng, 0, 1))
    return draft.node("RESHAPE", (x,), (draft.like(x, shape[:4]),), NoAttrs())


def squeeze(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        types = [types.x for types in OPERATORS["SQUEEZE"].types] if chance(rng, 0.5) else [DType.INT8]
        x = draft.input((*random_shape(rng, 1, 2), 1, *random_shape(rng, 0, 1)), dtype=pick(rng, *types))
    ones = [i for i, n in enumerate(draft.shape(x)) if n == 1]
    dropped = {i for i in ones if chance(rng, 0.6)} or set(ones)
    shape = tuple(n for i, n in enumerate(draft.shape(x)) if i not in dropped)
    return draft.node("SQUEEZE", (x,), (draft.like(x, shape),), NoAttrs())


def expand_dims(draft: Draft, x: int | None = None) -> int:
    if x is None:  # of the types that TFLM has; others are numbers of shapes, computed when a model is read
        x = draft.input(random_shape(draft.rng, 1, 3), dtype=pick(draft.rng, DType.INT8, DType.INT16, DType.FLOAT32))
    shape = draft.shape(x)
    at = between(draft.rng, 0, len(shape))
    return draft.node("EXPAND_DIMS", (x,), (draft.like(x, (*shape[:at], 1, *shape[at:])),), NoAttrs())


BUILDERS = {"RESHAPE": reshape, "SQUEEZE": squeeze, "EXPAND_DIMS": expand_dims}
