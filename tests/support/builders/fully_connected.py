"""FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np

from harness.ir.operators import OPERATORS
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.quantization.types import DType
from tests.support.builders.common import fused, random_shape
from tests.support.builders.weights import weighted
from tests.support.draft import Draft, between, chance, pick


def fully_connected(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    keep = chance(rng, 0.3)
    if x is None:
        dtype = pick(rng, DType.INT8, DType.INT8, *(types.x for types in OPERATORS["FULLY_CONNECTED"].types))
        x = draft.input((*random_shape(rng, 1, 2 if keep else 1, 4), between(rng, 1, 70)), dtype=dtype)
    shape = draft.shape(x)
    count, depth = int(np.prod(shape[:-1])), shape[-1]
    channels = between(rng, 1, 24)
    out = (*shape[:-1], channels) if keep else (count, channels)
    w, b, y = weighted(draft, x, (channels, depth), 0, out)
    return draft.node("FULLY_CONNECTED", (x, w, b), (y,), FullyConnectedAttrs(fused(rng, draft.tensors[y]), keep))


BUILDERS = {"FULLY_CONNECTED": fully_connected}
