"""FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.fully_connected import FullyConnectedAttrs
from tests.support.builders.common import fused, random_shape
from tests.support.builders.weights import accumulator, weights
from tests.support.draft import Draft, between, chance


def fully_connected(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    keep = chance(rng, 0.3)
    if x is None:
        x = draft.input((*random_shape(rng, 1, 2 if keep else 1, 4), between(rng, 1, 70)))
    shape = draft.shape(x)
    count, depth = int(np.prod(shape[:-1])), shape[-1]
    channels = between(rng, 1, 24)
    w, scales = weights(draft, (channels, depth), 0)
    b, quant = accumulator(draft, x, channels, depth, scales, w)
    y = draft.tensor((*shape[:-1], channels) if keep else (count, channels), quant)
    return draft.node("FULLY_CONNECTED", (x, w, b), (y,), FullyConnectedAttrs(fused(rng, draft.tensors[y]), keep))


BUILDERS = {"FULLY_CONNECTED": fully_connected}
