"""MIRROR_PAD."""

from __future__ import annotations

from harness.ir.operators.mirror_pad import MirrorAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft, between, chance


def mirror_pad(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, 1, 4, kind="MIRROR_PAD")
    symmetric = chance(rng, 0.5)
    shape = draft.shape(x)
    most = [n - (not symmetric) for n in shape]
    paddings = tuple((between(rng, 0, m), between(rng, 0, m)) if chance(rng, 0.6) else (0, 0) for m in most)
    y = draft.like(x, tuple(n + a + b for n, (a, b) in zip(shape, paddings, strict=True)))
    return draft.node("MIRROR_PAD", (x,), (y,), MirrorAttrs(paddings, symmetric))


BUILDERS = {"MIRROR_PAD": mirror_pad}
