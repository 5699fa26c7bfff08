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
    return _Chronicle(limit, sizes, aligns, before).placed(steps)


def steps_again(count: int) -> int:
    """How many of so many values are placed again at most where a layout is looked for."""
    return 4 * count


class _Chronicle:
    """The values that are placed so far, and what may be tried where they lead nowhere."""

    def __init__(
        self, limit: int, sizes: Sequence[int], aligns: Sequence[int], before: Sequence[Sequence[Exclusion]]
    ) -> None:
        self._limit, self._sizes, self._aligns, self._before = limit, sizes, aligns, before
        self._offsets: list[int] = []
        self._untried: dict[int, list[int]] = {}  # by value; of one that is not here, all but the first choice
        self._dead: set[tuple[int, ...]] = set()
        self._alive: dict[int, list[int]] = {}

    def placed(self, steps: int) -> list[int] | None:
        """Offsets of all values, or None."""
        while not self._go_on():
            if steps <= 0 or not self._go_back():
                return None
            steps -= 1
        return self._offsets

    def _go_on(self) -> bool:
        """Places each value at its first choice; whether all found one."""
        offsets, aligns, dead, limit = self._offsets, self._aligns, self._dead, self._limit
        for level in range(len(offsets), len(self._sizes)):
            if dead and self._state(level) in dead:
                return False
            top = limit - self._sizes[level]
            top -= top % aligns[level]
            lowest = highest = top >= 0
            for other, low, high in self._before[level]:
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
                choices = self._choices(level)
                if not choices:
                    return False
                offsets.append(choices[0])
        return True

    def _go_back(self) -> bool:
        """Takes the next choice of the last value that has one; whether there is any."""
        offsets, untried = self._offsets, self._untried
        while offsets:
            level = len(offsets)
            self._dead.add(self._state(level))
            untried.pop(level, None)
            offsets.pop()
            level -= 1
            choices = untried[level] if level in untried else self._choices(level)[1:]
            if choices:
                offsets.append(choices[0])
                untried[level] = choices[1:]
                return True
        return False

    def _state(self, level: int) -> tuple[int, ...]:
        """Where the values lie that later ones must keep apart from."""
        if not self._alive:
            last = {other: later for later, found in enumerate(self._before) for other, _, _ in found}
            for i, end in last.items():
                for later in range(i + 1, end + 1):
                    self._alive.setdefault(later, []).append(i)
        return (level, *[self._offsets[i] for i in self._alive.get(level, ())])

    def _choices(self, level: int) -> list[int]:
        """Offsets at the ends of the arena or of what is excluded, those near an end of the arena first."""
        offsets, align = self._offsets, self._aligns[level]
        top = self._limit - self._sizes[level]
        top -= top % align
        taken = [(offsets[other] + low, offsets[other] + high) for other, low, high in self._before[level]]
        ends = {0, top}
        for low, high in taken:
            ends.add(low - low % align)
            ends.add(-(-high // align) * align)
        free = [x for x in ends if 0 <= x <= top]
        for low, high in taken:
            free = [x for x in free if x <= low or x >= high]
        return sorted(free, key=lambda x: (min(x, top - x), x))
