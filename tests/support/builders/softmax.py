"""SOFTMAX."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.softmax import SoftmaxAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import PROBABILITY, random_shape
from tests.support.draft import Draft, between, chance, log_uniform, pick


def softmax(draft: Draft, x: int | None = None) -> int:
    rng, alone = draft.rng, x is None
    if x is None:
        depth = between(rng, 1, 300) if chance(rng, 0.2) else between(rng, 1, 20)
        x = draft.input((*random_shape(rng, 1, 3, 4), depth))
    beta = 1.0 if chance(rng, 0.7) else log_uniform(rng, 0.1, 8)
    y = draft.tensor(draft.shape(x), PROBABILITY)
    if alone and chance(rng, 0.3):
        scale = pick(rng, 1 / 65536, float(np.float32(1 / 65535)))
        y = draft.tensor(draft.shape(x), Quantization((scale,), (-32768,)), DType.INT16)
    return draft.node("SOFTMAX", (x,), (y,), SoftmaxAttrs(beta))


BUILDERS = {"SOFTMAX": softmax}
