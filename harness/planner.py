"""Values with lifetimes -> arena offsets, by search.

First fit in a given order is fast but can waste a third of the arena; which order is best is found by trying the usual
ones and then swapping, until the lower bound is met or the budget of trials is used. The search is seeded: the same
network gives the same plan.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from harness.lifetimes import Value

ALIGNMENT = 4
"""Every offset is a multiple of this many bytes."""

TRIALS = 400


@dataclass(frozen=True)
class Segment:
    """A span of layers during which a block has a size."""

    first: int
    last: int
    size: int


@dataclass(frozen=True)
class Block:
    """Values at one offset: one, or a chain of values each computed over the one before."""

    values: tuple[int, ...]
    segments: tuple[Segment, ...]

    @property
    def size(self) -> int:
        """Largest size over time."""
        return max(s.size for s in self.segments)

    @property
    def duration(self) -> int:
        """Layers during which the block exists."""
        return max(s.last for s in self.segments) - min(s.first for s in self.segments) + 1

    def size_during(self, first: int, last: int) -> int:
        """Largest size within a span of layers, 0 when it does not exist then."""
        return max((s.size for s in self.segments if s.first <= last and first <= s.last), default=0)


def blocks_of(values: Sequence[Value]) -> list[Block]:
    """Chains of values that share an offset."""
    chains: dict[int, list[int]] = {}
    head: dict[int, int] = {}

    def head_of(index: int) -> int:
        if index not in head:
            over = values[index].over
            head[index] = index if over is None else head_of(over)
        return head[index]

    for index in range(len(values)):
        chains.setdefault(head_of(index), []).append(index)
    return [
        Block(tuple(chain), tuple(Segment(values[i].first, values[i].last, values[i].size) for i in chain))
        for chain in chains.values()
    ]


def aligned(size: int) -> int:
    """`size` rounded up to ALIGNMENT."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def lower_bound(blocks: Sequence[Block]) -> int:
    """Bytes alive at once at the worst moment, counting a chain once."""
    times = {s.first for b in blocks for s in b.segments}
    return max((sum(b.size_during(t, t) for b in blocks) for t in times), default=0)


def _first_fit(blocks: Sequence[Block], order: Sequence[int], conflicts: Sequence[Sequence[int]]) -> list[int]:
    """Offset per block, each put as low as the ones before allow."""
    offsets = [-1] * len(blocks)
    for index in order:
        block = blocks[index]
        placed = [other for other in conflicts[index] if offsets[other] >= 0]
        candidates = sorted({0} | {aligned(offsets[o] + s.size) for o in placed for s in blocks[o].segments})
        for offset in candidates:
            if all(_apart(block, offset, blocks[o], offsets[o]) for o in placed):
                offsets[index] = offset
                break
    return offsets


def _apart(a: Block, a_offset: int, b: Block, b_offset: int) -> bool:
    """Whether two placed blocks never use the same byte at the same time."""
    for s in a.segments:
        for t in b.segments:
            together = s.first <= t.last and t.first <= s.last
            if together and a_offset < b_offset + t.size and b_offset < a_offset + s.size:
                return False
    return True


def _extent(blocks: Sequence[Block], offsets: Sequence[int]) -> int:
    return max((offset + block.size for block, offset in zip(blocks, offsets, strict=True)), default=0)


def place(values: Sequence[Value], *, trials: int = TRIALS) -> tuple[list[int], int]:
    """Offsets of the values and the size of the arena, in bytes.

    At most `trials` orders are tried beyond the usual ones.
    """
    blocks = blocks_of(values)
    conflicts = [
        [j for j, b in enumerate(blocks) if j != i and any(b.size_during(s.first, s.last) for s in a.segments)]
        for i, a in enumerate(blocks)
    ]
    bound = lower_bound(blocks)
    numbers = range(len(blocks))
    orders = [
        sorted(numbers, key=lambda i: -blocks[i].size),
        sorted(numbers, key=lambda i: (-blocks[i].duration, -blocks[i].size)),
        sorted(numbers, key=lambda i: -blocks[i].size * blocks[i].duration),
        sorted(numbers, key=lambda i: -sum(blocks[j].size for j in conflicts[i]) - blocks[i].size),
        list(numbers),
    ]
    best_order, best_offsets, best = orders[0], [0] * len(blocks), -1
    for order in orders:
        offsets = _first_fit(blocks, order, conflicts)
        extent = _extent(blocks, offsets)
        if best < 0 or extent < best:
            best_order, best_offsets, best = order, offsets, extent
    chance = random.Random(0)
    for _ in range(trials if len(blocks) > 1 else 0):
        if best <= aligned(bound):
            break
        order = list(best_order)
        for _ in range(chance.randint(1, 3)):
            i, j = chance.sample(numbers, 2)
            order.insert(j, order.pop(i))
        offsets = _first_fit(blocks, order, conflicts)
        extent = _extent(blocks, offsets)
        if extent <= best:
            best_order, best_offsets, best = order, offsets, extent
    result = [0] * len(values)
    for block, offset in zip(blocks, best_offsets, strict=True):
        for index in block.values:
            result[index] = offset
    return result, best
