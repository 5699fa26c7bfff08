"""MAXIMUM, MINIMUM, comparisons, logical operators, SELECT_V2, DIV, FLOOR_DIV, FLOOR_MOD and SQUARED_DIFFERENCE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.comparison import COMPARE
from harness.quantization.types import DType
from tests.support.builders.binary import joined, operands
from tests.support.builders.common import anything, broadcast, fused, random_shape
from tests.support.draft import QUANTIZED, Draft, chance, log_uniform, quantization, values


def _extreme(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = anything(draft, x, kind=op)
        tensor, shape = draft.tensors[x], draft.shape(x)
        other = draft.input(broadcast(rng, shape) if chance(rng, 0.5) else shape, tensor.quant, tensor.dtype)
        y = draft.like(x, joined(draft, (x, other)))
        return draft.node(op, (x, other), (y,), NoAttrs())

    return build


def _comparison(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        x = anything(draft, x, kind=op)
        pair = operands(draft, x)
        y = draft.tensor(joined(draft, pair), None, DType.BOOL)
        return draft.node(op, pair, (y,), NoAttrs())

    return build


def logical_not(draft: Draft, x: int | None = None) -> int:
    if x is None or draft.tensors[x].dtype is not DType.BOOL:
        x = draft.input(random_shape(draft.rng, 1, 4) if x is None else draft.shape(x), dtype=DType.BOOL)
    return draft.node("LOGICAL_NOT", (x,), (draft.like(x, draft.shape(x)),), NoAttrs())


def _logical(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        shape = random_shape(draft.rng, 1, 4) if x is None else draft.shape(x)
        pair = operands(draft, draft.input(shape, dtype=DType.BOOL))
        return draft.node(op, pair, (draft.tensor(joined(draft, pair), None, DType.BOOL),), NoAttrs())

    return build


def select(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, 1, 4, kind="SELECT_V2")
    tensor, shape = draft.tensors[x], draft.shape(x)
    condition = draft.input(broadcast(rng, shape) if chance(rng, 0.4) else shape, dtype=DType.BOOL)
    wide = tuple(int(n) for n in np.broadcast_shapes(shape, draft.shape(condition)))
    other = draft.input(tuple(1 if chance(rng, 0.2) else n for n in wide), tensor.quant, tensor.dtype)
    inputs = (condition, x, other) if chance(rng, 0.5) else (condition, other, x)
    return draft.node("SELECT_V2", inputs, (draft.like(x, wide),), NoAttrs())


def divide(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None and chance(rng, 0.3):
        x = draft.input(random_shape(rng, 1, 4), dtype=DType.INT32)
        # TFLM stops at a division by 0, and traps at one of the lowest number by -1.
        divisor = values(rng, draft.shape(x), DType.INT32)
        small = rng.integers(-9, 9, draft.shape(x), endpoint=True, dtype=np.int32)
        divisor = small if chance(rng, 0.5) else divisor
        odd = (divisor == 0) | (divisor == -1)
        pair = x, draft.constant(np.where(odd, np.int32(7), divisor).astype(np.int32), None)
    else:
        x = _float(draft, x)
        pair = operands(draft, x)
    y = draft.tensor(joined(draft, pair), None, draft.tensors[x].dtype)
    return draft.node("DIV", pair, (y,), BinaryAttrs(fused(rng, draft.tensors[y])))


def _floor(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        # TFLM stops at a division by 0.
        x = _float(draft, x)
        divisor = values(draft.rng, draft.shape(x), DType.FLOAT32)
        pair = x, draft.constant(np.where(divisor == 0, np.float32(1.5), divisor).astype(np.float32), None)
        return draft.node(op, pair, (draft.tensor(joined(draft, pair), None, DType.FLOAT32),), NoAttrs())

    return build


def _float(draft: Draft, x: int | None) -> int:
    shape = random_shape(draft.rng, 1, 4) if x is None else draft.shape(x)
    return x if x is not None and draft.tensors[x].dtype is DType.FLOAT32 else draft.input(shape, dtype=DType.FLOAT32)


def squared_difference(draft: Draft, x: int | None = None) -> int:
    rng, op = draft.rng, "SQUARED_DIFFERENCE"
    x = anything(draft, x, kind=op)
    dtype = draft.tensors[x].dtype
    pair = operands(draft, x)
    quant = None
    if dtype in QUANTIZED:
        widest = max(draft.quant(i).scale for i in pair)
        steps = log_uniform(rng, 20, 500) * (256 if dtype is DType.INT16 else 1)
        quant = quantization(rng, dtype, widest * widest * steps)
    return draft.node(op, pair, (draft.tensor(joined(draft, pair), quant, dtype),), NoAttrs())


BUILDERS = {
    **{op: _extreme(op) for op in ("MAXIMUM", "MINIMUM")},
    **{op: _comparison(op) for op in COMPARE},
    **{op: _logical(op) for op in ("LOGICAL_AND", "LOGICAL_OR")},
    "LOGICAL_NOT": logical_not,
    "SELECT_V2": select,
    "DIV": divide,
    **{op: _floor(op) for op in ("FLOOR_DIV", "FLOOR_MOD")},
    "SQUARED_DIFFERENCE": squared_difference,
}
