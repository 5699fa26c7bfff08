"""Layouts of a given size, found value by value in the order of time.

Where layers follow each other few values are alive at once. Each goes to the highest or the lowest end of the arena, or
to where it touches another: in a chain tensors take turns at both ends, and an output that may lie over its input
touches it, mostly from below, so that the high end comes first. Where values can lie from a layer on depends on where
those are that are alive then, and on nothing before: such a state that led nowhere is not tried again, so that hardly
more values are placed than there are.

Most values find room wherever those before them lie. They are placed after the others, except where these need to know
where they are: what is left of a network is what its fullest layers need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

AGAIN = 6
"""Most values that are placed again, as a multiple of those that there are."""

Exclusion: TypeAlias = tuple[int, int, int]
"""An earlier value, and the ends of an open interval of distances from it that are excluded."""


def placed_within(
    limit: int, sizes: Sequence[int], aligns: Sequence[int], before: Sequence[Sequence[Exclusion]]
) -> list[int] | None:
    """Offsets of values in an arena of `limit` bytes, or None where none were found.

    Args:
        limit: bytes.
        sizes, aligns: of the values in the order in which they are placed, in bytes.
        before: what each excludes of the values before it.
    """
    kept = _kept(limit, sizes, aligns, before)
    search = Chronicle(limit, kept, sizes, aligns, before)
    return search.with_others() if search.placed() else None


def room(size: int, align: int, spans: Sequence[int]) -> int:
    """Bytes of the smallest arena in which a value always finds a place.

    Of the multiples of its alignment, of which there is one more than top / align, an open interval of excluded
    distances covers no more than (length - 1) / align, rounded up, wherever the other value lies.

    Args:
        size, align: of the value, in bytes.
        spans: lengths of the intervals.
    """
    return sum([-(-(span - 1) // align) for span in spans], -(-size // align)) * align


def _kept(
    limit: int, sizes: Sequence[int], aligns: Sequence[int], before: Sequence[Sequence[Exclusion]]
) -> list[int]:
    """The values that may find no room, and those that they must keep apart from, with theirs in turn."""
    found: set[int] = set()
    for value in range(len(sizes) - 1, -1, -1):
        align, exclusions = aligns[value], before[value]
        needed = room(sizes[value], align, [high - low for _, low, high in exclusions])
        if value in found or needed > limit - limit % align:
            found.add(value)
            found.update([other for other, _, _ in exclusions])
    return sorted(found)


class Chronicle:
    """The values that are placed so far, and what may be tried where they lead nowhere.

    Args:
        limit, sizes, aligns, before: as of placed_within().
        order: the values that are looked for in order of time, with all that any of them must keep apart from.
    """

    def __init__(
        self,
        limit: int,
        order: Sequence[int],
        sizes: Sequence[int],
        aligns: Sequence[int],
        before: Sequence[Sequence[Exclusion]],
    ) -> None:
        self._limit, self._order, self._sizes, self._aligns, self._before = limit, order, sizes, aligns, before
        self._offsets = [0] * len(sizes)
        self._level = 0  # how many have their place
        self._untried: dict[int, list[int]] = {}  # by level; of one that is not here, all but the first choice
        self._dead: dict[int, set[tuple[int, ...]]] = {}  # by level that is next
        self._last: dict[int, int] = {}  # by value, the last level that must keep apart from it
        self._needed: dict[int, list[int]] = {}  # by level, the values before it that it or later ones keep apart from

    def placed(self) -> bool:
        """Whether all find a place before AGAIN times as many as they are were placed again."""
        steps = AGAIN * len(self._order)
        while not self._go_on():
            if steps <= 0 or not self._go_back():
                return False
            steps -= 1
        return True

    def with_others(self) -> list[int]:
        """Offsets of all values; those that were not looked for find room wherever these lie."""
        looked_for = set(self._order)
        for value in range(len(self._sizes)):
            if value not in looked_for:
                self._offsets[value] = self._choices(value)[0]
        return self._offsets

    def _go_on(self) -> bool:
        """Places each value at its first choice; whether all found one."""
        order, offsets, sizes, aligns, before = self._order, self._offsets, self._sizes, self._aligns, self._before
        dead, limit = self._dead, self._limit
        for level in range(self._level, len(order)):
            if level in dead and self._state(level) in dead[level]:
                self._level = level
                return False
            value = order[level]
            top = limit - sizes[value]
            top -= top % aligns[value]
            lowest = highest = top >= 0
            for other, low, high in before[value]:
                at = offsets[other]
                if low < -at < high:
                    lowest = False
                if low < top - at < high:
                    highest = False
            if highest:
                offsets[value] = top
            elif lowest:
                offsets[value] = 0
            else:
                choices = self._choices(value)
                if not choices:
                    self._level = level
                    return False
                offsets[value] = choices[0]
                self._untried[level] = choices[1:]
        return True

    def _go_back(self) -> bool:
        """Takes the next choice of the last value that has one which matters to others; whether there is any."""
        last = self._last = self._last or self._found_last()
        for level in range(self._level - 1, -1, -1):
            value = self._order[level]
            self._dead.setdefault(level + 1, set()).add(self._state(level + 1))
            choices = self._untried.pop(level, None)
            if last.get(value, -1) <= level:
                continue
            if choices is None:
                choices = self._choices(value)[1:]
            if choices:
                self._offsets[value] = choices[0]
                self._untried[level] = choices[1:]
                self._level = level + 1
                return True
        return False

    def _found_last(self) -> dict[int, int]:
        return {other: level for level, value in enumerate(self._order) for other, _, _ in self._before[value]}

    def _state(self, level: int) -> tuple[int, ...]:
        """Where the values lie that those from a level on must keep apart from."""
        needed = self._needed.get(level)
        if needed is None:
            last = self._last
            needed = self._needed[level] = [value for value in self._order[:level] if last.get(value, -1) >= level]
        offsets = self._offsets
        return tuple([offsets[value] for value in needed])

    def _choices(self, value: int) -> list[int]:
        """Offsets at the ends of the arena or of what is excluded, those near an end of the arena first."""
        offsets, align = self._offsets, self._aligns[value]
        top = self._limit - self._sizes[value]
        top -= top % align
        ends, taken = {0, top}, []
        for other, low, high in self._before[value]:
            first, last = offsets[other] + low, offsets[other] + high
            taken.append((first, last))
            ends.add(first - first % align)
            ends.add(last + -last % align)
        free = []
        for x in ends:
            if 0 <= x <= top:
                for low, high in taken:
                    if low < x < high:
                        break
                else:
                    free.append((min(x, top - x), -x))
        free.sort()
        return [-x for _, x in free]
