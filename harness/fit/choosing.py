"""Which kernels the compiler takes for a network of shapes: harness/compiler/selection.py for layers apart.

The rules are the compiler's, of "balanced" and "time"; here they work on figures made once per layer, so that a network
takes microseconds. tests/fit/host/test_shapes.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

from harness.compiler.goals import BALANCED_ARENA, BALANCED_RAM, BALANCED_TIME, TIME_RAM, Mode
from harness.compiler.memory.arena import aligned
from harness.compiler.selection import ATTEMPTS
from harness.fit.kinds import KindKernel

Picks = tuple[int, ...]
"""By layer the number of its kernel."""

QUICK: tuple[Mode, ...] = ("balanced", "time")
"""Modes whose layers are not fused unless a budget asks for it."""


class Chooser:
    """The choice for one network.

    Args:
        kernels: of each layer, fastest first.
        peaks: bytes of arena that each of them needs while it runs.
        arena_of: the arena of a choice, which is laid out for it.
        ram: bytes of the memory that holds the arena; None where it is not known.
    """

    def __init__(
        self,
        kernels: Sequence[Sequence[KindKernel]],
        peaks: Sequence[Sequence[int]],
        arena_of: Callable[[Picks], int],
        ram: int | None,
    ) -> None:
        self._kernels = kernels
        self._peaks = peaks
        self._arena_of = arena_of
        self._ram = ram
        self._all = [range(len(found)) for found in kernels]
        self._trades_ram = any(k.trades_ram for found in kernels for k in found)
        self._frugal = [_frugal(found) for found in kernels] if self._trades_ram else self._all

    def choose(self, mode: Mode) -> Picks:
        """What a mode of QUICK takes."""
        return self._balanced() if mode == "balanced" else self._fastest()

    def _cheapest(self, allowed: Sequence[Sequence[int]], peak: float) -> Picks | None:
        """By layer the fastest kernel, of equals the one of the lowest peak; None where a layer has none."""
        picks = []
        for numbers, kernels, peaks in zip(allowed, self._kernels, self._peaks, strict=True):
            best, mark = -1, (inf, inf)
            for i in numbers:
                time = kernels[i].time
                if time > mark[0]:
                    break  # fastest first
                if peaks[i] <= peak and (time, peaks[i]) < mark:
                    best, mark = i, (time, peaks[i])
            if best < 0:
                return None
            picks.append(best)
        return tuple(picks)

    def _time(self, picks: Picks) -> float:
        return sum([found[i].time for found, i in zip(self._kernels, picks, strict=True)])

    def _highest(self, picks: Picks) -> int:
        return max([found[i] for found, i in zip(self._peaks, picks, strict=True)])

    def _fastest(self) -> Picks:
        fastest = self._cheapest(self._all, inf)
        assert fastest is not None
        if not self._trades_ram or self._ram is None or self._arena_of(fastest) <= TIME_RAM * self._ram:
            return fastest
        frugal = self._cheapest(self._frugal, inf)
        assert frugal is not None
        within = self._fastest_in(max(int(TIME_RAM * self._ram), self._arena_of(frugal)))
        return frugal if within is None else min(within, frugal, key=self._time)

    def _fastest_in(self, limit: int) -> Picks | None:
        peak: float = limit
        for _ in range(ATTEMPTS):
            picks = self._cheapest(self._all, peak)
            if picks is None:
                return None
            if self._arena_of(picks) <= limit:
                return picks
            peak = self._highest(picks) - 1
        return None

    def _balanced(self) -> Picks:
        start = self._cheapest(self._frugal, inf)
        assert start is not None
        found = self._smallest_about_as_fast(self._frugal, start)
        if not self._trades_ram:
            return found
        arena = self._arena_of(found)
        limit = arena
        if self._ram is not None:
            limit = max(limit, int(min(BALANCED_RAM * self._ram, BALANCED_ARENA * arena)))
        fastest = self._fastest_in(limit)
        if fastest is None or BALANCED_TIME * self._time(fastest) >= self._time(found):
            return found
        return self._smallest_about_as_fast(self._all, fastest)

    def _smallest_about_as_fast(self, allowed: Sequence[Sequence[int]], fastest: Picks) -> Picks:
        slowest = BALANCED_TIME * self._time(fastest)
        product = self._time(fastest) * self._arena_of(fastest)
        lowest = max(
            [min([peaks[i] for i in numbers]) for numbers, peaks in zip(allowed, self._peaks, strict=True)]
        )
        every = {peaks[i] for numbers, peaks in zip(allowed, self._peaks, strict=True) for i in numbers}
        found = fastest
        for attempt, peak in enumerate(sorted([peak for peak in every if peak >= lowest])):
            trial = self._cheapest(allowed, peak)
            assert trial is not None
            time = self._time(trial)
            if time <= slowest and time * self._arena_of(trial) <= product:
                found = self._smaller(found, trial)
                if self._arena_of(trial) <= aligned(peak):
                    break
            if attempt == ATTEMPTS:
                break
        within = self._cheapest(allowed, self._arena_of(found))
        return found if within is None else self._smaller(found, within)

    def _smaller(self, one: Picks, other: Picks) -> Picks:
        """The one of the smaller arena, of equals the faster, of these the first."""
        if one == other:
            return one
        here = self._arena_of(other)
        if self._highest(one) > here:  # no layout is below the highest peak
            return other
        return min(one, other, key=lambda picks: (self._arena_of(picks), self._time(picks)))


def _frugal(kernels: Sequence[KindKernel]) -> Sequence[int]:
    found = [i for i, kernel in enumerate(kernels) if not kernel.trades_ram]
    return found or range(len(kernels))
