"""BATCH_MATMUL, CUMSUM and ADD_N."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators import OPERATORS
from harness.ir.operators.batch_matmul import MatmulAttrs
from harness.ir.operators.running import CumsumAttrs
from harness.quantization.types import DType
from tests.support.builders.common import random_shape
from tests.support.draft import QUANTIZED, Draft, between, chance, log_uniform, pick, quantization, values


def batch_matmul(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    dtype = pick(rng, DType.INT8, DType.INT8, *(types.x for types in OPERATORS["BATCH_MATMUL"].types))
    rows, depth, columns = between(rng, 1, 6), between(rng, 1, 20), between(rng, 1, 6)
    batches = random_shape(rng, 0, 2, 3)
    attrs = MatmulAttrs(chance(rng, 0.4), chance(rng, 0.4))
    a_shape = (depth, rows) if attrs.a_transposed else (rows, depth)
    b_shape = (columns, depth) if attrs.b_transposed else (depth, columns)
    a = draft.input((*batches, *a_shape), dtype=dtype)
    other = tuple(1 if chance(rng, 0.2) else n for n in batches)
    quant = quantization(rng, dtype) if dtype in QUANTIZED else None
    shape = (*other, *b_shape)
    b = draft.constant(values(rng, shape, dtype), quant) if chance(rng, 0.3) else draft.input(shape, quant, dtype)
    y_quant = None
    if dtype in QUANTIZED:
        scale = draft.quant(a).scale * draft.quant(b).scale * log_uniform(rng, 20, 500) * float(np.sqrt(depth))
        scale *= 256 if dtype is DType.INT16 else 1
        y_quant = quantization(rng, dtype, scale)
    y = draft.tensor((*batches, rows, columns), y_quant, dtype)
    return draft.node("BATCH_MATMUL", (a, b), (y,), attrs)


def cumsum(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    shape = random_shape(rng, 1, 4)
    x = draft.input(shape, dtype=pick(rng, DType.FLOAT32, DType.INT8))
    attrs = CumsumAttrs(between(rng, 0, len(shape) - 1), chance(rng, 0.5), chance(rng, 0.5))
    if draft.tensors[x].dtype is DType.INT8:
        y = draft.tensor(shape, quantization(rng, DType.INT8, draft.quant(x).scale * log_uniform(rng, 0.5, 8)))
    else:
        y = draft.like(x, shape)
    return draft.node("CUMSUM", (x,), (y,), attrs)


def add_n(draft: Draft, x: int | None = None) -> int:
    shape = random_shape(draft.rng, 1, 4)
    first = draft.input(shape, dtype=pick(draft.rng, DType.FLOAT32, DType.INT8))
    dtype, quant, y_quant = draft.tensors[first].dtype, draft.tensors[first].quant, None
    terms = (first, *(draft.input(shape, quant, dtype) for _ in range(between(draft.rng, 1, 4))))
    if quant is not None:
        y_quant = quantization(draft.rng, DType.INT8, quant.scale * log_uniform(draft.rng, 0.5, 8))
    return draft.node("ADD_N", terms, (draft.tensor(shape, y_quant, dtype),), NoAttrs())


BUILDERS = {"BATCH_MATMUL": batch_matmul, "CUMSUM": cumsum, "ADD_N": add_n}
