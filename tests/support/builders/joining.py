"""CONCATENATION, SPLIT and SPLIT_V."""

from __future__ import annotations

from collections.abc import Callable

from harness.ir.operators import OPERATORS
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from tests.support.builders.common import anything, random_shape
from tests.support.draft import Draft, between, pick, values


def concatenation(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x, kind="CONCATENATION")
    shape, quant, dtype = draft.shape(x), draft.tensors[x].quant, draft.tensors[x].dtype
    axis = between(rng, 0, len(shape) - 1)
    parts = [x]
    for _ in range(between(rng, 1, 4)):
        size = (*shape[:axis], between(rng, 1, 5), *shape[axis + 1 :])
        kind = rng.random()
        if kind < 0.2:
            parts.append(draft.constant(values(rng, size, dtype), quant))
        else:
            parts.append(draft.input(size, quant, dtype) if kind < 0.9 else x)
    rng.shuffle(parts)
    total = sum(draft.shape(part)[axis] for part in parts)
    y = draft.like(x, (*shape[:axis], total, *shape[axis + 1 :]))
    return draft.node("CONCATENATION", tuple(parts), (y,), ConcatAttrs(axis, dtype.range))


def _split(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        if x is not None:
            axis = between(rng, 0, len(draft.shape(x)) - 1)
            whole = draft.shape(x)[axis]
            sizes = [whole] if op == "SPLIT" or whole == 1 else [1, whole - 1]
        else:
            count = between(rng, 1, 4)
            sizes = [between(rng, 1, 4)] * count if op == "SPLIT" else [between(rng, 1, 4) for _ in range(count)]
            shape = list(random_shape(rng, 1, 4))
            axis = between(rng, 0, len(shape) - 1)
            shape[axis] = sum(sizes)
            x = draft.input(tuple(shape), dtype=pick(rng, *(types.x for types in OPERATORS[op].types)))
        shape = draft.shape(x)
        outputs = tuple(draft.like(x, (*shape[:axis], size, *shape[axis + 1 :])) for size in sizes)
        return draft.node(op, (x,), outputs, SplitAttrs(axis))

    return build


BUILDERS = {"CONCATENATION": concatenation, "SPLIT": _split("SPLIT"), "SPLIT_V": _split("SPLIT_V")}
