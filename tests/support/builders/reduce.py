"""SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL, ARG_MAX and ARG_MIN."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.operators.reduce import ArgAttrs, ReduceAttrs
from harness.quantization.types import DType
from tests.support.builders.common import anything, random_shape
from tests.support.draft import QUANTIZED, Draft, between, chance, log_uniform, quantization


def reduced(draft: Draft, x: int) -> tuple[tuple[int, ...], bool, tuple[int, ...]]:
    """(axes, whether they stay, shape of the output)."""
    rng, shape = draft.rng, draft.shape(x)
    axes = tuple(i for i in range(len(shape)) if chance(rng, 0.5)) or (between(rng, 0, len(shape) - 1),)
    keep = chance(rng, 0.5)
    return axes, keep, tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)


def total(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="SUM")
    axes, keep, shape = reduced(draft, x)
    dtype, quant = draft.tensors[x].dtype, None
    if dtype in QUANTIZED:
        quant = quantization(rng, dtype, draft.quant(x).scale * log_uniform(rng, 0.5, 20))
    return draft.node("SUM", (x,), (draft.tensor(shape, quant, dtype),), ReduceAttrs(axes, keep))


def _extreme(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        x = anything(draft, x, kind=op)
        axes, keep, shape = reduced(draft, x)
        return draft.node(op, (x,), (draft.like(x, shape),), ReduceAttrs(axes, keep))

    return build


def everything(draft: Draft, x: int | None = None) -> int:
    x = draft.input(random_shape(draft.rng, 1, 4), dtype=DType.BOOL)
    axes, keep, shape = reduced(draft, x)
    return draft.node("REDUCE_ALL", (x,), (draft.like(x, shape),), ReduceAttrs(axes, keep))


def _arg(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        x = anything(draft, x, kind=op)
        shape = draft.shape(x)
        axis = between(draft.rng, 0, len(shape) - 1)
        y = draft.tensor(shape[:axis] + shape[axis + 1 :], None, DType.INT32)
        return draft.node(op, (x,), (y,), ArgAttrs(axis))

    return build


BUILDERS = {
    "SUM": total,
    "REDUCE_MAX": _extreme("REDUCE_MAX"),
    "REDUCE_MIN": _extreme("REDUCE_MIN"),
    "REDUCE_ALL": everything,
    "ARG_MAX": _arg("ARG_MAX"),
    "ARG_MIN": _arg("ARG_MIN"),
}
