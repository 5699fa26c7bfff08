"""Values with lifetimes -> arena offsets, by search.

Values are placed in blocks: one value, or several at fixed distances. Two blocks that live at the same time exclude
certain distances between their offsets; where a layer may overwrite its input, fewer. Four steps, until the lower
bound is met: first fit in the usual orders (by size, lifetime, their product, and so on); block by block in the order
of time (chronology.py), which meets the bound in nearly all networks; first fit in the best order with one to three
blocks moved at random; branch and bound. The last three are limited by numbers of trials, not by time, and the random
numbers are seeded: the same network gives the same layout.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harness.compiler.memory.chronology import placed_within
from harness.compiler.memory.lifetimes import ALIGNMENT, Value, alive_by_layer, union_size
from harness.compiler.memory.overlap import Overlap

TRIALS = 40
"""Most orders of first fit with random moves."""

PLACEMENTS = 200_000
"""Most blocks that those orders place in all, so that the time does not grow with the square of the layers."""

NODES = 4000
"""Most partial placements of branch and bound."""

MAX_BLOCKS = 200
"""Most blocks for which there is branch and bound."""

Overlaps: TypeAlias = Mapping[tuple[int, int], Overlap]
"""(value written, value read for the last time by the same layer) -> how they may share bytes."""

_Interval: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class ArenaLayout:
    """Where values lie.

    Attributes:
        offsets: bytes from the start of the arena, by value.
        size: bytes of the arena.
        bound: lower bound of `size` in bytes, see lower_bound().
    """

    offsets: tuple[int, ...]
    size: int
    bound: int

    @property
    def proved(self) -> bool:
        """Whether the size meets the bound, so that no layout is smaller."""
        return self.size <= aligned(self.bound)


def aligned(size: int, alignment: int = ALIGNMENT) -> int:
    """`size` rounded up to a multiple of `alignment`."""
    return -(-size // alignment) * alignment


def allocate(
    values: Sequence[Value], overlaps: Overlaps = {}, *, trials: int = TRIALS, nodes: int = NODES  # noqa: B006
) -> ArenaLayout:
    """The smallest layout found, within at most `trials` random orders and `nodes` partial placements."""
    problem = _Problem(values, overlaps)
    bound = lower_bound(values, overlaps)
    best = place(problem.blocks, bound, trials=trials, nodes=nodes)
    return ArenaLayout(
        tuple(best[b] + v.at for v, b in zip(values, problem.block_of, strict=True)), problem.blocks.extent(best), bound
    )


# --- bounds ----------------------------------------------------------------------------------------------------------


def lower_bound(values: Sequence[Value], overlaps: Overlaps = {}) -> int:  # noqa: B006
    """Lower bound in bytes of any layout: the most bytes alive at a layer, less those that may be shared there."""
    saved: dict[int, dict[int, int]] = {}  # by layer, by value written there
    for (over, under), overlap in overlaps.items():
        time = values[over].first
        if time == values[under].last and time <= values[over].last and values[under].first <= time:
            shared = max_shared(values[over].size, values[under].size, overlap)
            there = saved.setdefault(time, {})
            there[over] = there.get(over, 0) + shared
    most = 0
    for time, alive in alive_by_layer(values):
        spans: dict[int, list[_Interval]] = {}
        for i in alive:
            v = values[i]
            spans.setdefault(_root(v, i), []).append((v.at, v.at + v.size))
        less = sum(min(shared, values[over].size) for over, shared in saved.get(time, {}).items())
        most = max(most, sum(union_size(s) for s in spans.values()) - less)
    return most


def max_shared(size_out: int, size_in: int, overlap: Overlap) -> int:
    """Most bytes that an output and an input of these sizes can have in common."""
    distances = [min(overlap.below, max(size_in - size_out, 0)), max(overlap.above, min(size_in - size_out, 0))]
    distances += [overlap.point] if overlap.point is not None else []
    return max(max(min(size_in, d + size_out) - max(d, 0), 0) for d in distances)


# --- blocks and what they exclude ------------------------------------------------------------------------------------


def _root(value: Value, index: int) -> int:
    return index if value.inside is None else value.inside


@dataclass(frozen=True, eq=False)
class ArenaBlocks:
    """Blocks, and for every two of them the distances between their offsets that are excluded, as open intervals.

    Attributes:
        sizes, aligns: in bytes.
        lives: the first and the last layer during which each is kept.
        excluded: by block, another one -> distances from it that are excluded, ascending and disjoint.
    """

    sizes: Sequence[int]
    aligns: Sequence[int]
    lives: Sequence[tuple[int, int]]
    excluded: Sequence[Mapping[int, Sequence[_Interval]]]

    def lowest(self, block: int, offsets: Mapping[int, int], start: int = 0) -> int:
        """The lowest offset from `start` on that the blocks in `offsets` do not exclude."""
        taken = [
            (offsets[other] + low, offsets[other] + high)
            for other, gaps in self.excluded[block].items()
            if other in offsets
            for low, high in gaps
        ]
        taken.sort()
        align = self.aligns[block]
        offset = -(-start // align) * align
        for low, high in taken:
            if low >= offset:
                break
            if offset < high:
                offset = -(-high // align) * align
        return offset

    def extent(self, offsets: Mapping[int, int]) -> int:
        """Bytes up to the end of the highest block."""
        return max((offset + self.sizes[b] for b, offset in offsets.items()), default=0)


def place(blocks: ArenaBlocks, bound: int, *, trials: int = TRIALS, nodes: int = NODES) -> dict[int, int]:
    """Offset by block of the smallest layout found: the first whose size meets the lower bound, if any does."""
    return _Search(blocks, bound, trials, nodes).best()


class _Problem:
    """The blocks of some values."""

    def __init__(self, values: Sequence[Value], overlaps: Overlaps) -> None:
        roots = [_root(values[i], i) for i in range(len(values))]
        number = {root: b for b, root in enumerate(dict.fromkeys(roots))}
        self.block_of = [number[root] for root in roots]
        held: list[list[int]] = [[] for _ in number]
        for i, b in enumerate(self.block_of):
            held[b].append(i)
        sizes = [max(values[i].at + values[i].size for i in members) for members in held]
        aligns = [max(values[i].align for i in members) for members in held]
        lives = [(min(values[i].first for i in members), max(values[i].last for i in members)) for members in held]
        gaps: dict[tuple[int, int], list[_Interval]] = {}
        order = sorted(range(len(values)), key=lambda i: values[i].first)
        for position, i in enumerate(order):
            for j in order[position + 1 :]:
                if values[j].first > values[i].last:
                    break
                a, b = self.block_of[i], self.block_of[j]
                if a == b:
                    continue
                found = _excluded(values, overlaps, i, j)
                gaps.setdefault((a, b), []).extend(found)
                gaps.setdefault((b, a), []).extend((-high, -low) for low, high in found)
        excluded: list[dict[int, list[_Interval]]] = [{} for _ in number]
        for (a, b), found in gaps.items():
            excluded[b][a] = found if len(found) == 1 else _merged(found)
        self.blocks = ArenaBlocks(sizes, aligns, lives, excluded)


def _excluded(values: Sequence[Value], overlaps: Overlaps, i: int, j: int) -> list[_Interval]:
    """Open intervals of (offset of j's block) - (offset of i's) that values i and j, alive at once, exclude."""
    a, b = values[i], values[j]
    shift = a.at - b.at
    for over, under, sign in ((j, i, 1), (i, j, -1)):
        overlap = overlaps.get((over, under))
        if overlap is not None and values[over].first == values[under].last:
            ends = [max(overlap.below, -values[over].size), min(overlap.above, values[under].size)]
            if overlap.point is not None and ends[0] < overlap.point < ends[1]:
                ends.insert(1, overlap.point)
            found = [(low, high) for low, high in zip(ends, ends[1:], strict=False) if high - low > 1]
            spans = found if sign > 0 else [(-high, -low) for low, high in found]
            return [(low + shift, high + shift) for low, high in spans]
    return [(shift - b.size, shift + a.size)]


def _merged(gaps: Sequence[_Interval]) -> list[_Interval]:
    """The union of open intervals as disjoint ones; a point between two that touch is in neither."""
    merged: list[_Interval] = []
    for low, high in sorted(gaps):
        if merged and low < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


class _Chronology:
    """Blocks in the order of time, by their beginnings or, backwards, by their ends."""

    def __init__(self, blocks: ArenaBlocks, backwards: bool) -> None:
        def time(block: int) -> int:
            first, last = blocks.lives[block]
            return -last if backwards else first

        self._order = sorted(range(len(blocks.sizes)), key=time)
        place_of = {block: i for i, block in enumerate(self._order)}
        self._sizes = [blocks.sizes[block] for block in self._order]
        self._aligns = [blocks.aligns[block] for block in self._order]
        self._before = [
            [
                (place_of[other], low, high)
                for other, gaps in blocks.excluded[block].items()
                if place_of[other] < i
                for low, high in gaps
            ]
            for i, block in enumerate(self._order)
        ]

    def placed_within(self, limit: int) -> dict[int, int] | None:
        """Offset by block in an arena of `limit` bytes, or None."""
        found = placed_within(limit, self._sizes, self._aligns, self._before)
        return None if found is None else dict(zip(self._order, found, strict=True))


# --- search ----------------------------------------------------------------------------------------------------------


class _Search:
    def __init__(self, blocks: ArenaBlocks, bound: int, trials: int, nodes: int) -> None:
        self._p = blocks
        self._bound, self._goal = bound, aligned(bound)
        self._trials = trials
        self._nodes = nodes
        self._size = -1
        self._best: dict[int, int] = {}
        self._order: list[int] = []

    def best(self) -> dict[int, int]:
        """Offset by block of the smallest layout found."""
        p = self._p
        numbers = list(range(len(p.sizes)))
        duration = [last - first for first, last in p.lives]
        weight = [p.sizes[i] + sum(p.sizes[j] for j in p.excluded[i]) for i in numbers]
        self._try(sorted(numbers, key=lambda i: -p.sizes[i]))
        self._try(sorted(numbers, key=lambda i: (-duration[i], -p.sizes[i])))
        self._try(sorted(numbers, key=lambda i: -p.sizes[i] * (duration[i] + 1)))
        self._try(sorted(numbers, key=lambda i: -weight[i]))
        self._try(numbers)
        self._try(numbers[::-1])
        self._in_time()
        chance = random.Random(0)
        for _ in range(min(self._trials, PLACEMENTS // len(numbers)) if len(numbers) > 1 else 0):
            if self._done:
                break
            order, same = list(self._order), len(numbers)
            for _ in range(chance.randint(1, 3)):
                i, j = chance.sample(numbers, 2)
                order.insert(j, order.pop(i))
                same = min(same, i, j)
            self._try(order, same)
        if not self._done and len(numbers) <= MAX_BLOCKS:
            self._branch({}, 0, {}, None)
        return self._best

    def _in_time(self) -> None:
        """Block by block in the order of time, forwards and backwards; halves what is above a goal not met."""
        if self._done or not self._nodes:
            return
        orders = (_Chronology(self._p, False), _Chronology(self._p, True))
        low, high = self._bound - 1, self._size  # within the one there is none, within the other there is
        limit = self._bound
        while low < limit < high:
            offsets = next(filter(None, (order.placed_within(limit) for order in orders)), None)
            if offsets is None:
                low = limit
            else:
                self._take(offsets)
                high = self._size
            limit = self._goal if low < self._goal else (low + high) // 2 // ALIGNMENT * ALIGNMENT

    @property
    def _done(self) -> bool:
        return 0 <= self._size <= self._goal

    def _take(self, offsets: Mapping[int, int]) -> None:
        self._best, self._size = dict(offsets), self._p.extent(offsets)

    def _try(self, order: Sequence[int], same: int = 0) -> None:
        """First fit in one order; an equally good layout replaces the best, so that random moves do not stay at one.

        The first `same` blocks are those of the best order, and lie where they lie there.
        """
        if self._done:
            return
        offsets = {block: self._best[block] for block in order[:same]}
        for block in order[same:]:
            offsets[block] = self._p.lowest(block, offsets)
            if 0 <= self._size < offsets[block] + self._p.sizes[block]:
                return
        self._order = list(order)
        self._take(offsets)

    def _branch(self, offsets: dict[int, int], level: int, fits: Mapping[int, int], placed: int | None) -> None:
        """Branch and bound: any block not placed yet may be the one with the next higher offset, from `level` on.

        Args:
            offsets: of the blocks that are placed.
            level: the highest of them.
            fits: the lowest offset of each other block before `placed`, the last one, was.
            placed: the last one; None before the first.
        """
        p = self._p
        if len(offsets) == len(p.sizes):
            self._take(offsets)
            return
        rest = [b for b in range(len(p.sizes)) if b not in offsets]
        kept = {b for b in rest if fits.get(b, -1) >= level and placed not in p.excluded[b]}
        fits = {b: fits[b] if b in kept else p.lowest(b, offsets, level) for b in rest}
        if any(offset + p.sizes[b] >= self._size for b, offset in fits.items()):
            return
        # The next block must begin below the end of every block that could be there instead: else that one fits first.
        ceiling = min(fits[b] + p.sizes[b] for b in rest)
        for block in sorted(rest, key=lambda b: (fits[b], -p.sizes[b])):
            self._nodes -= 1
            if self._nodes < 0 or self._done:
                return
            if fits[block] < ceiling:
                offsets[block] = fits[block]
                self._branch(offsets, fits[block], fits, block)
                del offsets[block]
