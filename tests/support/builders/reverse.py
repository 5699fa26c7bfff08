"""REVERSE_V2."""

from __future__ import annotations

from harness.ir.operators.reverse import ReverseAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft, chance


def reverse(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 4, kind="REVERSE_V2")
    axes = [i for i in range(len(draft.shape(x))) if chance(draft.rng, 0.5)]
    # TFLM takes neighbouring axes only.
    axes = list(range(axes[0], axes[-1] + 1)) if axes else [0]
    return draft.node("REVERSE_V2", (x,), (draft.like(x, draft.shape(x)),), ReverseAttrs(tuple(axes)))


BUILDERS = {"REVERSE_V2": reverse}
