"""DEPTH_TO_SPACE, SPACE_TO_DEPTH, SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND."""

from __future__ import annotations

from math import prod

from harness.ir.operators import OPERATORS
from harness.ir.operators.batch_space import BatchAttrs
from harness.ir.operators.depth_space import BlockAttrs
from tests.support.draft import Draft, between, chance, pick


def _input(draft: Draft, op: str, shape: tuple[int, ...]) -> int:
    return draft.input(shape, dtype=pick(draft.rng, *(types.x for types in OPERATORS[op].types)))


def depth_to_space(draft: Draft, x: int | None = None) -> int:
    rng, op = draft.rng, "DEPTH_TO_SPACE"
    block, depth = between(rng, 1, 3), between(rng, 1, 5)
    batch, height, width = (between(rng, 1, 4) for _ in range(3))
    x = _input(draft, op, (batch, height, width, depth * block * block))
    y = draft.like(x, (batch, height * block, width * block, depth))
    return draft.node(op, (x,), (y,), BlockAttrs(block))


def space_to_depth(draft: Draft, x: int | None = None) -> int:
    rng, op = draft.rng, "SPACE_TO_DEPTH"
    block, depth = between(rng, 1, 3), between(rng, 1, 5)
    batch, height, width = (between(rng, 1, 4) for _ in range(3))
    x = _input(draft, op, (batch, height * block, width * block, depth))
    return draft.node(op, (x,), (draft.like(x, (batch, height, width, depth * block * block)),), BlockAttrs(block))


def _batches(draft: Draft, op: str, edged: bool) -> tuple[tuple[int, ...], tuple[int, ...], BatchAttrs]:
    """(shape of the image, shape of the batches, attributes)."""
    rng = draft.rng
    spatial = 1 if chance(rng, 0.3) else 2
    block = tuple(between(rng, 1, 3) for _ in range(spatial))
    inside = tuple(between(rng, 1, 4) for _ in range(spatial))
    edges, image = [], []
    for b, n in zip(block, inside, strict=True):
        size = between(rng, max(1, n * b - 3), n * b) if edged else n * b
        before = between(rng, 0, n * b - size)
        edges.append((before, n * b - size - before))
        image.append(size)
    batch, depth = between(rng, 1, 2), between(rng, 1, 5)
    attrs = BatchAttrs(block, tuple(edges))
    return (batch, *image, depth), (batch * prod(block), *inside, depth), attrs


def space_to_batch(draft: Draft, x: int | None = None) -> int:
    op = "SPACE_TO_BATCH_ND"
    # What TFLM pads with is undefined.
    image, batches, attrs = _batches(draft, op, edged=False)
    x = _input(draft, op, image)
    return draft.node(op, (x,), (draft.like(x, batches),), attrs)


def batch_to_space(draft: Draft, x: int | None = None) -> int:
    op = "BATCH_TO_SPACE_ND"
    image, batches, attrs = _batches(draft, op, edged=True)
    x = _input(draft, op, batches)
    return draft.node(op, (x,), (draft.like(x, image),), attrs)


BUILDERS = {
    "DEPTH_TO_SPACE": depth_to_space,
    "SPACE_TO_DEPTH": space_to_depth,
    "SPACE_TO_BATCH_ND": space_to_batch,
    "BATCH_TO_SPACE_ND": batch_to_space,
}
