"""PAD and PADV2."""

from __future__ import annotations

from harness.ir.operators.pad import PadAttrs, padding_of
from harness.quantization.types import DType
from tests.support.builders.common import anything
from tests.support.draft import Draft, between, chance


def pad(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="PAD")
    shape = draft.shape(x)
    paddings = tuple((between(rng, 0, 3), between(rng, 0, 3)) if chance(rng, 0.6) else (0, 0) for _ in shape)
    zero = padding_of(draft.tensors[x])
    value = between(rng, *_values(draft.tensors[x].dtype)) if chance(rng, 0.4) else zero
    y = draft.like(x, tuple(n + sum(p) for n, p in zip(shape, paddings, strict=True)))
    return draft.node("PAD" if value == zero else "PADV2", (x,), (y,), PadAttrs(paddings, value))


def _values(dtype: DType) -> tuple[int, int]:
    low, high = dtype.range
    return max(low, -1000), min(high, 1000)


BUILDERS = {"PAD": pad}
