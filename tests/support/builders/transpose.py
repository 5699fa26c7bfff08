"""TRANSPOSE."""

from __future__ import annotations

from harness.ir.operators.transpose import TransposeAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft


def transpose(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 5, kind="TRANSPOSE")
    shape = draft.shape(x)
    order = tuple(int(i) for i in draft.rng.permutation(len(shape)))
    y = draft.like(x, tuple(shape[i] for i in order))
    return draft.node("TRANSPOSE", (x,), (y,), TransposeAttrs(order))


BUILDERS = {"TRANSPOSE": transpose}
