"""Which kernels the compiler takes for a network of shapes: harness/compiler/selection.py for layers apart.

The rules are the compiler's, of "balanced" and "time"; here they work on figures made once per layer, so that a network
takes microseconds. tests/fit/host/test_shapes.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.compiler.goals import BALANCED_ARENA, BALANCED_RAM, BALANCED_TIME, TIME_RAM, Mode
from harness.compiler.memory.arena import aligned
from harness.compiler.selection import ATTEMPTS
from harness.fit.kinds import LayerForm, Stairs

Picks = tuple[int, ...]
"""By layer the number of its kernel."""

_Allowed = Sequence[Stairs]

QUICK: tuple[Mode, ...] = ("balanced", "time")
"""Modes whose layers are not fused unless a budget asks for it."""


class Chooser:
    """The choice for one network.

    Args:
        forms: the kernels of each layer.
        alive: bytes of the values that are alive at each.
        arena_of: the arena of a choice, which is laid out for it.
        ram: bytes of the memory that holds the arena; None where it is not known.
    """

    def __init__(
        self, forms: Sequence[LayerForm], alive: Sequence[int], arena_of: Callable[[Picks], int], ram: int | None
    ) -> None:
        self._forms = forms
        self._alive = alive
        self._arena_of = arena_of
        self._ram = ram
        self._all: _Allowed = [form.stairs for form in forms]
        self._frugal: _Allowed = [form.frugal_stairs for form in forms]
        self._trades_ram = any([form.trades_ram for form in forms])

    def choose(self, mode: Mode) -> Picks:
        """What a mode of QUICK takes."""
        return self._balanced() if mode == "balanced" else self._fastest()

    def _cheapest(self, allowed: _Allowed, limit: float) -> Picks | None:
        """By layer the fastest kernel, of equals the one of the lowest peak; None where a layer has none."""
        picks = []
        for stairs, alive in zip(allowed, self._alive, strict=True):
            for peak, number in stairs:
                if alive + peak <= limit:
                    picks.append(number)
                    break
            else:
                return None
        return tuple(picks)

    def _time(self, picks: Picks) -> float:
        return sum([form.kernels[i].time for form, i in zip(self._forms, picks, strict=True)])

    def _highest(self, picks: Picks) -> int:
        rows = zip(self._forms, self._alive, picks, strict=True)
        return max([alive + form.peaks[i] for form, alive, i in rows])

    def _fastest(self) -> Picks:
        fastest = _first(self._all)
        if not self._trades_ram or self._ram is None or self._arena_of(fastest) <= TIME_RAM * self._ram:
            return fastest
        frugal = _first(self._frugal)
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
        found, lowest = _first(self._frugal), self._lowest(self._frugal)
        # In most networks no kernel of the fullest layer needs less than the fastest: there is nothing to give away.
        if self._highest(found) > lowest or self._arena_of(found) > aligned(lowest):
            found = self._smallest_about_as_fast(self._frugal, found)
        if not self._trades_ram or BALANCED_TIME * self._time(_first(self._all)) >= self._time(found):
            return found
        arena = self._arena_of(found)
        limit = arena
        if self._ram is not None:
            limit = max(limit, int(min(BALANCED_RAM * self._ram, BALANCED_ARENA * arena)))
        fastest = self._fastest_in(limit)
        if fastest is None or BALANCED_TIME * self._time(fastest) >= self._time(found):
            return found
        return self._smallest_about_as_fast(self._all, fastest)

    def _smallest_about_as_fast(self, allowed: _Allowed, fastest: Picks) -> Picks:
        lowest = self._lowest(allowed)
        slowest = BALANCED_TIME * self._time(fastest)
        product = self._time(fastest) * self._arena_of(fastest)
        found = fastest
        for attempt, peak in enumerate(self._peaks_from(lowest, allowed is self._frugal)):
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

    def _lowest(self, allowed: _Allowed) -> int:
        """The lowest peak that a choice can have."""
        return max([alive + stairs[-1][0] for alive, stairs in zip(self._alive, allowed, strict=True)])

    def _peaks_from(self, lowest: int, frugal: bool) -> list[int]:
        """All peaks of kernels from the lowest one on, ascending."""
        rows = zip(self._forms, self._alive, strict=True)
        every = {alive + form.peaks[i] for form, alive in rows for i in (form.frugal if frugal else form.every)}
        return sorted([peak for peak in every if peak >= lowest])

    def _smaller(self, one: Picks, other: Picks) -> Picks:
        """The one of the smaller arena, of equals the faster, of these the first."""
        if one == other:
            return one
        here = self._arena_of(other)
        if self._highest(one) > here:  # no layout is below the highest peak
            return other
        return min(one, other, key=lambda picks: (self._arena_of(picks), self._time(picks)))


def _first(allowed: _Allowed) -> Picks:
    return tuple([stairs[0][1] for stairs in allowed])
