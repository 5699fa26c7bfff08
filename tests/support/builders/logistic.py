"""LOGISTIC."""

from __future__ import annotations

from harness.ir.graph import (
    NoAttrs,
)
from tests.support.builders.common import PROBABILITY, anything
from tests.support.draft import Draft


def logistic(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    return draft.node("LOGISTIC", (x,), (draft.tensor(draft.shape(x), PROBABILITY),), NoAttrs())


BUILDERS = {"LOGISTIC": logistic}
