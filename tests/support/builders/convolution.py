"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from harness.ir.window import ConvAttrs
from tests.support.builders.common import fused, image, steps, window
from tests.support.builders.weights import weighted
from tests.support.draft import Draft, between, pick


def conv_2d(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    groups = pick(rng, 1, 1, 1, 2, 3) if x is None else 1
    x = image(draft, x, kind="CONV_2D", groups=groups)
    batch, height, width, depth = draft.shape(x)
    channels = groups * between(rng, 1, 8 if groups > 1 else 20)
    kernel = pick(rng, (1, 1), (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = steps(rng)
    pads, size = window(rng, (height, width), kernel, stride, dilation)
    w, b, y = weighted(draft, x, (channels, *kernel, depth // groups), 0, (batch, *size, channels))
    attrs = ConvAttrs(stride, dilation, pads, fused(rng, draft.tensors[y]))
    return draft.node("CONV_2D", (x, w, b), (y,), attrs)


def depthwise_conv_2d(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = image(draft, x, kind="DEPTHWISE_CONV_2D")
    batch, height, width, depth = draft.shape(x)
    channels = depth * pick(rng, 1, 1, 1, between(rng, 1, 4))
    kernel = pick(rng, (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = steps(rng)
    pads, size = window(rng, (height, width), kernel, stride, dilation)
    w, b, y = weighted(draft, x, (1, *kernel, channels), 3, (batch, *size, channels), narrow=False)
    attrs = ConvAttrs(stride, dilation, pads, fused(rng, draft.tensors[y]))
    return draft.node("DEPTHWISE_CONV_2D", (x, w, b), (y,), attrs)


BUILDERS = {"CONV_2D": conv_2d, "DEPTHWISE_CONV_2D": depthwise_conv_2d}
