"""Which kernels the compiler takes for a network of shapes: harness/compiler/selection.py for layers apart.

The rules are the compiler's, of "balanced" and "time"; here they work on figures made once per layer, so that a network
takes microseconds. tests/fit/host/test_shapes.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from harness.compiler.goals import BALANCED_ARENA, BALANCED_RAM, BALANCED_TIME, TIME_RAM, Mode
from harness.compiler.memory.arena import aligned
from harness.compiler.selection import ATTEMPTS
from harness.fit.kinds import KernelSteps, LayerForm

Picks = tuple[int, ...]
"""By layer the number of its kernel."""

QUICK: tuple[Mode, ...] = ("balanced", "time")
"""Modes whose layers are not fused unless a budget asks for it."""

_ROUNDING = 1e-9
"""Share by which sums of the same times may differ."""


class _Allowed:
    """Kernels that may be chosen: by layer their stairs, and the fastest of them.

    Attributes:
        stairs: by layer, with peaks in bytes beyond those of the values that are alive.
        alive: by layer, the bytes of these.
        fastest: by layer the fastest.
        highest: their highest peak.
        lowest: the lowest that a choice can have.
        crowded: of the layers whose fastest kernel needs more, the bytes that are alive, and the steps.
    """

    def __init__(self, stairs: Sequence[KernelSteps], alive: Sequence[int]) -> None:
        self.stairs, self.alive = stairs, alive
        fastest, peaks, lowest = [], [], 0
        for now, one in zip(alive, stairs, strict=True):
            (first, number, _), (last, _, _) = one.steps[0], one.steps[-1]
            fastest.append(number)
            peaks.append(now + first)
            if now + last > lowest:
                lowest = now + last
        self.fastest: Picks = tuple(fastest)
        self.highest, self.lowest, self._peaks = max(peaks), lowest, peaks
        self.crowded = [(alive[i], stairs[i].steps) for i, peak in enumerate(peaks) if peak > lowest]

    def cheapest(self, limit: float) -> Picks | None:
        """By layer the fastest kernel, of equals the one of the lowest peak; None where a layer has none."""
        over = [i for i, peak in enumerate(self._peaks) if peak > limit]
        if not over:
            return self.fastest
        picks = list(self.fastest)
        for i in over:
            room = limit - self.alive[i]
            for peak, number, _ in self.stairs[i].steps:
                if peak <= room:
                    picks[i] = number
                    break
            else:
                return None
        return tuple(picks)

    def peaks(self) -> list[int]:
        """All peaks of kernels from the lowest one on, ascending."""
        lowest = self.lowest
        every = zip(self.alive, self.stairs, strict=True)
        rows = [(now, one.peaks) for now, one in every if now + one.peaks[-1] >= lowest]
        return sorted({now + peak for now, peaks in rows for peak in peaks if now + peak >= lowest})

    def slower(self, limit: int) -> float:
        """Cycles by which the cheapest choice is slower than the fastest, but for rounding; `lowest` is within."""
        found = 0.0
        for alive, steps in self.crowded:
            for peak, _, more in steps:
                if alive + peak <= limit:
                    found += more
                    break
        return found


class Chooser:
    """The choice for one network. An arena is laid out where its lower bound, the highest peak, does not decide.

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
        self._times: dict[Picks, float] = {}
        self._trades_ram = any([form.trades_ram for form in forms])

    @cached_property
    def _all(self) -> _Allowed:
        return _Allowed([form.all for form in self._forms], self._alive)

    @cached_property
    def _frugal(self) -> _Allowed:
        return _Allowed([form.frugal for form in self._forms], self._alive)

    def choose(self, mode: Mode) -> Picks:
        """What a mode of QUICK takes."""
        return self._balanced() if mode == "balanced" else self._fastest()

    def _time(self, picks: Picks) -> float:
        found = self._times.get(picks)
        if found is None:
            found = sum([form.kernels[i].time for form, i in zip(self._forms, picks, strict=True)])
            self._times[picks] = found
        return found

    def _highest(self, picks: Picks) -> int:
        rows = zip(self._forms, self._alive, picks, strict=True)
        return max([alive + form.peaks[i] for form, alive, i in rows])

    def _fastest(self) -> Picks:
        fastest = self._all.fastest
        if not self._trades_ram or self._ram is None or self._arena_of(fastest) <= TIME_RAM * self._ram:
            return fastest
        frugal = self._frugal.fastest
        within = self._fastest_in(max(int(TIME_RAM * self._ram), self._arena_of(frugal)))
        return frugal if within is None else min(within, frugal, key=self._time)

    def _fastest_in(self, limit: int) -> Picks | None:
        peak: float = limit
        for _ in range(ATTEMPTS):
            picks = self._all.cheapest(peak)
            if picks is None:
                return None
            if self._arena_of(picks) <= limit:
                return picks
            peak = self._highest(picks) - 1
        return None

    def _balanced(self) -> Picks:
        found = self._smallest_about_as_fast(self._frugal, self._frugal.fastest)
        if not self._trades_ram or BALANCED_TIME * self._time(self._all.fastest) >= self._time(found):
            return found
        fastest = self._fastest_beside(found)
        if fastest is None or BALANCED_TIME * self._time(fastest) >= self._time(found):
            return found
        return self._smallest_about_as_fast(self._all, fastest)

    def _fastest_beside(self, found: Picks) -> Picks | None:
        """The fastest in the arena that "balanced" allows beside a choice without kernels that trade RAM for time."""
        fastest, least = self._all.fastest, self._limit_beside(self._highest(found))
        if self._all.highest <= least and self._arena_of(fastest) <= least:
            return fastest  # whatever the arena of `found` is
        return self._fastest_in(self._limit_beside(self._arena_of(found)))

    def _limit_beside(self, arena: int) -> int:
        return arena if self._ram is None else max(arena, int(min(BALANCED_RAM * self._ram, BALANCED_ARENA * arena)))

    def _smallest_about_as_fast(self, allowed: _Allowed, fastest: Picks) -> Picks:
        found, time = fastest, self._time(fastest)
        slowest = BALANCED_TIME * time
        too_slow = slowest * (1 + _ROUNDING) - self._time(allowed.fastest)
        # With higher peaks all are the fastest, with lower ones slower still: mostly there is nothing to give away.
        if fastest == allowed.fastest and (not allowed.crowded or allowed.slower(allowed.highest - 1) > too_slow):
            return fastest
        least = time * self._highest(fastest)
        for peak in allowed.peaks()[: ATTEMPTS + 1]:
            if allowed.slower(peak) > too_slow:
                continue
            trial = allowed.cheapest(peak)
            assert trial is not None
            if trial == found == allowed.fastest:
                break  # so are those of all higher peaks
            spent = self._time(trial)
            if spent > slowest:
                continue
            product = spent * self._arena_of(trial)
            if product <= least or product <= time * self._arena_of(fastest):
                found = self._smaller(found, trial)
                if self._arena_of(trial) <= aligned(peak):
                    break
        if found == allowed.fastest:
            return found
        within = allowed.cheapest(self._arena_of(found))
        return found if within is None else self._smaller(found, within)

    def _smaller(self, one: Picks, other: Picks) -> Picks:
        """The one of the smaller arena, of equals the faster, of these the first."""
        if one == other:
            return one
        here = self._arena_of(other)
        if self._highest(one) > here:  # no layout is below the highest peak
            return other
        return min(one, other, key=lambda picks: (self._arena_of(picks), self._time(picks)))
