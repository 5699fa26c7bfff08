"""SOFTMAX."""

from __future__ import annotations

from harness.ir.operators.softmax import SoftmaxAttrs
from tests.support.builders.common import PROBABILITY, random_shape
from tests.support.draft import Draft, between, chance, log_uniform


def softmax(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        depth = between(rng, 1, 300) if chance(rng, 0.2) else between(rng, 1, 20)
        x = draft.input((*random_shape(rng, 1, 3, 4), depth))
    beta = 1.0 if chance(rng, 0.7) else log_uniform(rng, 0.1, 8)
    return draft.node("SOFTMAX", (x,), (draft.tensor(draft.shape(x), PROBABILITY),), SoftmaxAttrs(beta))


BUILDERS = {"SOFTMAX": softmax}
