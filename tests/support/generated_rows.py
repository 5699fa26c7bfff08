"""Networks of layers that can be computed a few rows at a time: taller images, residual blocks, a mean at the end."""

from __future__ import annotations

from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import Pads, PoolAttrs
from tests.support.builders import BUILDERS, BYTE_FUNCTIONS
from tests.support.draft import Draft, between, chance, pick, quantization
from tests.support.generated_sparse import joined


def rows(draft: Draft) -> int:
    """The tensor id of the network's last output."""
    rng = draft.rng
    x = draft.input((1, between(rng, 3, 22), between(rng, 1, 9), between(rng, 1, 10)))
    for _ in range(between(rng, 2, 6)):
        if not 1e-5 < draft.quant(x).scale < 1e3:
            return x
        kind = pick(rng, *("CONV_2D", "DEPTHWISE_CONV_2D") * 2, "AVERAGE_POOL_2D", "MAX_POOL_2D", "function", "block")
        kind = pick(rng, *BYTE_FUNCTIONS) if kind == "function" else kind
        x = _block(draft, x) if kind == "block" else BUILDERS[kind](draft, x)
    return _total(draft, x) if chance(rng, 0.4) else x


def _block(draft: Draft, x: int) -> int:
    """x joined with two layers over it where the shapes agree, else these layers."""
    y = BUILDERS["DEPTHWISE_CONV_2D"](draft, BUILDERS[pick(draft.rng, "RELU", "DEPTHWISE_CONV_2D")](draft, x))
    return joined(draft, pick(draft.rng, "ADD", "MUL"), x, y) if draft.shape(x) == draft.shape(y) else y


def _total(draft: Draft, x: int) -> int:
    """The mean over the image, by either operator."""
    rng = draft.rng
    batch, height, width, channels = draft.shape(x)
    if chance(rng, 0.5):
        y = draft.tensor((batch, 1, 1, channels), draft.quant(x))
        attrs = PoolAttrs((height, width), (1, 1), Pads(), (-128, 127))
        return draft.node("AVERAGE_POOL_2D", (x,), (y,), attrs)
    keep = chance(rng, 0.5)
    shape = (batch, 1, 1, channels) if keep else (batch, channels)
    y = draft.tensor(shape, quantization(rng, scale=draft.quant(x).scale * 0.9))
    return draft.node("MEAN", (x,), (y,), MeanAttrs((1, 2), keep))
