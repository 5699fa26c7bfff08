"""TRANSPOSE_CONV."""

from __future__ import annotations

from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.window import same_pads
from tests.support.builders.common import fused, image
from tests.support.builders.weights import weighted
from tests.support.draft import Draft, between, chance, pick


def transpose_conv(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = image(draft, x, channels=6, kind="TRANSPOSE_CONV")
    batch, height, width, depth = draft.shape(x)
    kernel = pick(rng, (2, 2), (3, 3), (between(rng, 1, 4), between(rng, 1, 4)))
    stride = pick(rng, (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    same = chance(rng, 0.5)
    if same:
        size = tuple(n * s - between(rng, 0, s - 1) for n, s in zip((height, width), stride, strict=True))
    else:
        size = tuple((n - 1) * s + k for n, s, k in zip((height, width), stride, kernel, strict=True))
    channels = between(rng, 1, 8)
    w, b, y = weighted(draft, x, (channels, *kernel, depth), 0, (batch, *size, channels), narrow=False)
    pads = same_pads(size, kernel, stride, (1, 1)) if same else None
    before = (0, 0) if pads is None else (pads.top, pads.left)
    attrs = TransposeConvAttrs(stride, before, fused(rng, draft.tensors[y]), same)
    return draft.node("TRANSPOSE_CONV", (x, w, b), (y,), attrs)


BUILDERS = {"TRANSPOSE_CONV": transpose_conv}
