"""The timers of a chip by kind."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import Device
from harness.virtual.chip import Clocks, TimerSpec
from harness.virtual.nrf_timer import NrfTimer
from harness.virtual.timer import FollowingTimer, Timer


def make_timers(facts: TimerSpec, cycles: Callable[[], int], clocks: Callable[[], Clocks]) -> list[Device]:
    """The timers; `cycles` returns the core's cycles so far, `clocks` the current rates."""

    def rates() -> tuple[int, int]:
        now = clocks()
        return now.core, now.timer

    if facts.kind == "nrf":
        return [NrfTimer(facts, cycles, rates)]
    timer = Timer(facts, cycles, rates)
    return [timer] if facts.follower is None else [timer, FollowingTimer(*facts.follower, timer)]
