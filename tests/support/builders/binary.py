"""ADD, SUB and MUL."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.ir.operators.binary import BinaryAttrs
from harness.quantization.types import DType
from tests.support.builders.common import anything, broadcast, fused
from tests.support.draft import QUANTIZED, Draft, Rng, chance, log_uniform, quantization, values


def operands(draft: Draft, x: int, constants: float = 0.3) -> tuple[int, int]:
    """x and another operand, of a shape that broadcasts with it, in either order."""
    rng, shape, dtype = draft.rng, draft.shape(x), draft.tensors[x].dtype
    if chance(rng, 0.1):
        return x, x
    wanted = broadcast(rng, shape) if chance(rng, 0.5) else shape
    quant = quantization(rng, dtype) if dtype in QUANTIZED else None
    constant = chance(rng, constants)
    other = draft.constant(values(rng, wanted, dtype), quant) if constant else draft.input(wanted, quant, dtype)
    return (x, other) if chance(rng, 0.5) else (other, x)


def joined(draft: Draft, pair: tuple[int, int]) -> tuple[int, ...]:
    """The shape that both broadcast to."""
    return tuple(int(n) for n in np.broadcast_shapes(*map(draft.shape, pair)))


def _scale(rng: Rng, op: str, dtype: DType, sa: float, sb: float) -> float:
    if op != "MUL":
        return (sa + sb) * log_uniform(rng, 0.2, 3)
    return sa * sb * log_uniform(rng, 20, 500) * (256 if dtype is DType.INT16 else 1)


def _binary(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = anything(draft, x, kind=op)
        dtype = draft.tensors[x].dtype
        pair = operands(draft, x)
        quant = None
        if dtype in QUANTIZED:
            sa, sb = (draft.quant(i).scale for i in pair)
            quant = quantization(rng, dtype, _scale(rng, op, dtype, sa, sb))
        y = draft.tensor(joined(draft, pair), quant, dtype)
        # TFLM leaves the activation of an int32 ADD out.
        clamp = dtype.range if (op, dtype) == ("ADD", DType.INT32) else fused(rng, draft.tensors[y])
        return draft.node(op, pair, (y,), BinaryAttrs(clamp))

    return build


BUILDERS = {op: _binary(op) for op in ("ADD", "SUB", "MUL")}
