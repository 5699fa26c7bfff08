"""PAD and PADV2."""

from __future__ import annotations

from harness.ir.operators.pad import PadAttrs
from tests.support.builders.common import anything
from tests.support.draft import Draft, between, chance


def pad(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x)
    shape = draft.shape(x)
    paddings = tuple((between(rng, 0, 3), between(rng, 0, 3)) if chance(rng, 0.6) else (0, 0) for _ in shape)
    quant = draft.quant(x)
    value = between(rng, -128, 127) if chance(rng, 0.4) else quant.zero_point
    y = draft.tensor(tuple(n + sum(p) for n, p in zip(shape, paddings, strict=True)), quant)
    return draft.node("PAD" if value == quant.zero_point else "PADV2", (x,), (y,), PadAttrs(paddings, value))


BUILDERS = {"PAD": pad}
