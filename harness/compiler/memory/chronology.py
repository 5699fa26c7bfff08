"""Layouts of a given size, found value by value in the order of time.

Where layers follow each other few values are alive at once. Each goes to the lowest or the highest end of the arena, or
to where it touches another: in a chain tensors take turns at both ends, and an output that may lie over its input
touches it. Where values can lie from a layer on depends on where those are that are alive then, and on nothing before:
such a state that led nowhere is not tried again, so that hardly more values are placed than there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Exclusion: TypeAlias = tuple[int, int, int]
"""An earlier value, and the ends of an open interval of distances from it that are excluded."""


def placed_within(
    limit: int, sizes: Sequence[int], aligns: Sequence[int], before: Sequence[Sequence[Exclusion]], steps: int
) -> list[int] | None:
    """Offsets of values in an arena of `limit` bytes, or None where none were found.

    Args:
        limit: bytes.
        sizes, aligns: of the values in the order in which they are placed, in bytes.
        before: what each excludes of the values before it.
        steps: most values that are placed again after the first dead end.
    """
    offsets: list[int] = []
    for size, align, exclusions in zip(sizes, aligns, before, strict=True):
        top = limit - size
        top -= top % align
        lowest = highest = top >= 0
        for other, low, high in exclusions:
            at = offsets[other]
            if low < -at < high:
                lowest = False
            if low < top - at < high:
                highest = False
        if lowest:
            offsets.append(0)
        elif highest:
            offsets.append(top)
        else:
            choices = _choices(top, align, exclusions, offsets)
            if not choices:
                return _Retreat(limit, sizes, aligns, before, offsets).go_on(steps)
            offsets.append(choices[0])
    return offsets


def steps_again(count: int) -> int:
    """How many of so many values are placed again at most where a layout is looked for."""
    return 10 * count


def _choices(top: int, align: int, exclusions: Sequence[Exclusion], offsets: Sequence[int]) -> list[int]:
    """Offsets up to `top` at the ends of the arena or of what is excluded, those near an end of the arena first."""
    taken = [(offsets[other] + low, offsets[other] + high) for other, low, high in exclusions]
    ends = {0, top}
    for low, high in taken:
        ends.add(low - low % align)
        ends.add(-(-high // align) * align)
    free = [x for x in ends if 0 <= x <= top and all([x <= low or x >= high for low, high in taken])]
    return sorted(free, key=lambda x: (min(x, top - x), x))


class _Retreat:
    """Goes back from dead ends."""

    def __init__(
        self,
        limit: int,
        sizes: Sequence[int],
        aligns: Sequence[int],
        before: Sequence[Sequence[Exclusion]],
        offsets: list[int],
    ) -> None:
        self._limit, self._sizes, self._aligns, self._before = limit, sizes, aligns, before
        self._offsets = offsets
        self._untried: list[list[int]] = [self._all(level)[1:] for level in range(len(offsets))]
        last = [0] * len(sizes)
        for level, exclusions in enumerate(before):
            for other, _, _ in exclusions:
                last[other] = level
        self._alive = [[i for i in range(level) if last[i] >= level] for level in range(len(sizes))]
        self._dead: set[tuple[int, ...]] = set()

    def go_on(self, steps: int) -> list[int] | None:
        """Offsets of all values, or None."""
        offsets, untried, count = self._offsets, self._untried, len(self._sizes)
        while len(offsets) < count:
            level = len(offsets)
            choices = [] if self._state(level) in self._dead else self._all(level)
            while not choices:
                self._dead.add(self._state(level))
                if not level or not steps:
                    return None
                level -= 1
                offsets.pop()
                choices = untried.pop()
            steps -= 1
            offsets.append(choices[0])
            untried.append(choices[1:])
        return offsets

    def _state(self, level: int) -> tuple[int, ...]:
        return (level, *[self._offsets[i] for i in self._alive[level]])

    def _all(self, level: int) -> list[int]:
        top = self._limit - self._sizes[level]
        align = self._aligns[level]
        return _choices(top - top % align, align, self._before[level], self._offsets)
