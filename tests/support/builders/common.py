"""Operands and windows that builders of several operators draw."""

from __future__ import annotations

from math import prod

from harness.ir.activations import activation_clamp
from harness.ir.graph import NoAttrs, Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.reduce import ArgAttrs
from harness.ir.window import Pads, same_pads
from harness.quantization.types import Clamp, DType, Quantization
from tests.support.draft import Draft, Rng, between, chance, pick

PROBABILITY = Quantization((1 / 256,), (-128,))
WIDE_OUTPUT = Quantization((1 / 32768,), (0,))
"""Of what has results between -1 and 1 in int16."""


def random_shape(rng: Rng, low: int, high: int, size: int = 7) -> tuple[int, ...]:
    """Of rank low..high."""
    return tuple(between(rng, 1, size) for _ in range(between(rng, low, high)))


def image(draft: Draft, x: int | None, channels: int = 12, kind: str = "", groups: int = 1) -> int:
    """x, or an NHWC tensor: int8, or now and then of another type that the operator `kind` takes.

    A new one has `groups` times as many channels.
    """
    rng = draft.rng
    types = [types.x for types in OPERATORS[kind].types] if kind and chance(rng, 0.3) else [DType.INT8]
    if x is not None:
        return x
    there = draft.offered(_types(kind), 4, 4) if groups == 1 else None
    if there is not None:
        return there
    batch = 2 if chance(rng, 0.15) else 1
    if chance(rng, 0.1):
        channels *= 4
    shape = (batch, between(rng, 1, 9), between(rng, 1, 9), between(rng, 1, channels if groups == 1 else 5) * groups)
    return draft.input(shape, dtype=pick(rng, *types))


def _types(kind: str) -> tuple[DType, ...]:
    """Of the operator's data inputs; int8 of none."""
    return tuple(types.x for types in OPERATORS[kind].types) if kind else (DType.INT8,)


def anything(draft: Draft, x: int | None, low: int = 1, high: int = 4, kind: str = "") -> int:
    """x, or a tensor of rank low..high: int8, or often of another type that the operator `kind` takes."""
    rng = draft.rng
    there = draft.offered(_types(kind), low, high) if x is None else x
    if there is not None:
        return there
    types = [types.x for types in OPERATORS[kind].types] if kind and chance(rng, 0.5) else [DType.INT8]
    return draft.input(random_shape(rng, low, high), dtype=pick(rng, *types))


def sigmoid_input(draft: Draft, x: int | None, kind: str) -> int:
    """`anything`; of int16 now and then of a power of two, for which TFLM has formulas of its own."""
    made = anything(draft, x, kind=kind)
    if x is None and draft.tensors[made].dtype is DType.INT16 and chance(draft.rng, 0.4):
        return draft.requantized(made, Quantization((2.0 ** -between(draft.rng, 9, 15),), (0,)))
    return made


def numbers_below(draft: Draft, shape: tuple[int, ...], limit: int) -> int:
    """int32 numbers 0 <= n < limit: constants, or computed at run time from a new input."""
    rng = draft.rng
    if chance(rng, 0.5):
        return draft.constant(rng.integers(0, limit, shape).astype("int32"), None)
    scores = draft.input((*shape, between(rng, 1, limit)))
    y = draft.tensor(shape, None, DType.INT32)
    return draft.node("ARG_MAX", (scores,), (y,), ArgAttrs(len(shape)))


def flattened(draft: Draft, x: int, before: tuple[int, ...]) -> int:
    """x as [*before, rows, elements of a row], reshaped where it is of another rank."""
    shape = draft.shape(x)
    if len(shape) == len(before) + 2:
        return x
    y = draft.like(x, (*before, prod(shape[:-1]), shape[-1]))
    return draft.node("RESHAPE", (x,), (y,), NoAttrs())


def fused(rng: Rng, y: Tensor) -> Clamp:
    return activation_clamp(pick(rng, "NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1"), y)


def window(
    rng: Rng, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
):
    """(pads, output size) of SAME, or of VALID where the window fits."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if all(r <= n for r, n in zip(reach, size, strict=True)) and chance(rng, 0.5):
        return Pads(), tuple((n - r) // s + 1 for n, r, s in zip(size, reach, stride, strict=True))
    return same_pads(size, kernel, stride, dilation), tuple(-(-n // s) for n, s in zip(size, stride, strict=True))


def steps(rng: Rng) -> tuple[tuple[int, int], tuple[int, int]]:
    stride = pick(rng, (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    return stride, pick(rng, (1, 1), (1, 1), (between(rng, 1, 3), between(rng, 1, 3)))


def broadcast(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to or with `shape`."""
    wanted = [1 if chance(rng, 0.4) else between(rng, 1, 5) if n == 1 else n for n in shape]
    return tuple(wanted[between(rng, 0, len(wanted) - 1) :]) if chance(rng, 0.3) else tuple(wanted)
