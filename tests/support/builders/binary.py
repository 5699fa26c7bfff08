"""ADD and MUL."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.ir.operators.binary import BinaryAttrs
from harness.quantization.types import DType
from tests.support.builders.common import anything, fused
from tests.support.draft import Draft, Rng, between, chance, log_uniform, quantization, values


def _binary(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = anything(draft, x)
        shape = draft.shape(x)
        if chance(rng, 0.1):
            other = x
        else:
            wanted = _broadcast(rng, shape) if chance(rng, 0.5) else shape
            if chance(rng, 0.3):
                other = draft.constant(values(rng, wanted, DType.INT8), quantization(rng))
            else:
                other = draft.input(wanted)
        pair = (x, other) if chance(rng, 0.5) else (other, x)
        sa, sb = draft.quant(x).scale, draft.quant(other).scale
        real = (sa + sb) * log_uniform(rng, 0.2, 3) if op == "ADD" else sa * sb * log_uniform(rng, 20, 500)
        y = draft.tensor(np.broadcast_shapes(shape, draft.shape(other)), quantization(rng, scale=real))
        return draft.node(op, pair, (y,), BinaryAttrs(fused(rng, draft.tensors[y])))

    return build


def _broadcast(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to or with `shape`."""
    wanted = [1 if chance(rng, 0.4) else between(rng, 1, 5) if n == 1 else n for n in shape]
    return tuple(wanted[between(rng, 0, len(wanted) - 1) :]) if chance(rng, 0.3) else tuple(wanted)


BUILDERS = {"ADD": _binary("ADD"), "MUL": _binary("MUL")}
