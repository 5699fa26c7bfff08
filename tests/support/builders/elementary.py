"""Functions of one number: LEAKY_RELU, HARD_SWISH, ELU, ABS and the float32 ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.ir.graph import Attrs, NoAttrs
from harness.ir.operators import OPERATORS
from harness.ir.operators.elementary import FUNCTIONS
from harness.ir.operators.leaky_relu import LeakyAttrs
from harness.quantization.types import DType, Quantization
from tests.support.builders.common import anything, random_shape
from tests.support.draft import QUANTIZED, Draft, log_uniform, pick, quantization


def _made(draft: Draft, op: str, x: int, attrs: Attrs, spread: tuple[float, float] = (0.2, 4)) -> int:
    dtype, quant = draft.tensors[x].dtype, None
    if dtype in QUANTIZED:
        quant = quantization(draft.rng, dtype, draft.quant(x).scale * log_uniform(draft.rng, *spread))
    return draft.node(op, (x,), (draft.tensor(draft.shape(x), quant, dtype),), attrs)


def leaky_relu(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, kind="LEAKY_RELU")
    alpha = float(np.float32(pick(draft.rng, 0.01, 0.1, 0.3, 1.0, 1.5)))
    return _made(draft, "LEAKY_RELU", x, LeakyAttrs(alpha))


def hard_swish(draft: Draft, x: int | None = None) -> int:
    # TFLM wants the input's 128th part below the output's scale.
    return _made(draft, "HARD_SWISH", anything(draft, x, kind="HARD_SWISH"), NoAttrs())


def _function(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        types = {types.x for types in OPERATORS[op].types}
        if x is not None and draft.tensors[x].dtype not in types:
            x = draft.input(draft.shape(x), dtype=DType.FLOAT32)
        if x is None:
            x = draft.input(random_shape(draft.rng, 1, 4), dtype=pick(draft.rng, *sorted(types, key=str)))
        return _made(draft, op, x, NoAttrs())

    return build


def rsqrt(draft: Draft, x: int | None = None) -> int:
    """Of integers that are not negative, with which TFLM fails: those that RELU6 leaves, or from the lowest one on."""
    rng, shape = draft.rng, random_shape(draft.rng, 1, 4) if x is None else draft.shape(x)
    if x is None:
        dtype = pick(rng, *(types.x for types in OPERATORS["RSQRT"].types))
        lowest = Quantization(quantization(rng).scales, (-128,)) if dtype is DType.INT8 else None
        x = draft.input(shape, lowest, dtype)
    dtype = draft.tensors[x].dtype
    if dtype is DType.FLOAT32:
        return _made(draft, "RSQRT", x, NoAttrs())
    if draft.quant(x).zero_point != dtype.range[0]:
        x = draft.node("RELU6", (x,), (draft.like(x, shape),), NoAttrs())
    scale = log_uniform(rng, 0.2, 4) / (draft.quant(x).scale ** 0.5 * (60 if dtype is DType.INT8 else 15000))
    y = draft.tensor(shape, quantization(rng, dtype, scale), dtype)
    return draft.node("RSQRT", (x,), (y,), NoAttrs())


BUILDERS = {
    "LEAKY_RELU": leaky_relu,
    "HARD_SWISH": hard_swish,
    **{op: _function(op) for op in FUNCTIONS},
    "RSQRT": rsqrt,
}
