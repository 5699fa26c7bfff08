"""GATHER and GATHER_ND, of constant indices and those of run time."""

from __future__ import annotations

from harness.ir.graph import NoAttrs
from harness.ir.operators.gather import GatherAttrs
from harness.quantization.types import DType
from tests.support.builders.common import numbers_below, random_shape
from tests.support.draft import Draft, between, pick


def _data(draft: Draft, x: int | None) -> int:
    """x, or a new input of a type that TFLM gathers."""
    shape = random_shape(draft.rng, 1, 4)
    return draft.input(shape, dtype=pick(draft.rng, DType.INT8, DType.FLOAT32)) if x is None else x


def gather(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _data(draft, x)
    shape = draft.shape(x)
    axis = between(rng, 0, len(shape) - 1)
    batch = between(rng, 0, min(axis, 1))
    picked = (*shape[:batch], *random_shape(rng, 0 if batch else 1, 2, 4))
    indices = numbers_below(draft, picked, shape[axis])
    y = draft.like(x, shape[:axis] + picked[batch:] + shape[axis + 1 :])
    return draft.node("GATHER", (x, indices), (y,), GatherAttrs(axis, batch))


def gather_nd(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = _data(draft, x)
    shape = draft.shape(x)
    depth = between(rng, 1, len(shape))
    picked = random_shape(rng, 1, 2, 4)
    indices = draft.constant(rng.integers(0, shape[:depth], (*picked, depth)).astype("int32"), None)
    return draft.node("GATHER_ND", (x, indices), (draft.like(x, picked + shape[depth:]),), NoAttrs())


BUILDERS = {"GATHER": gather, "GATHER_ND": gather_nd}
