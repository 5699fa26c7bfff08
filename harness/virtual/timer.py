"""TIM2 as a free-running 32-bit counter with a prescaler, and TIM3 as a counter of its wraps."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import Device
from harness.virtual.chip import Clock
from harness.virtual.chip import TimerSpec as Facts

CR1, CR2, SMCR, EGR, CNT, PSC, ARR = 0x00, 0x04, 0x08, 0x14, 0x24, 0x28, 0x2C
_ENABLE, _UPDATE = 1, 1
_OUTPUT, _OUTPUT_UPDATE = 7 << 4, 2 << 4  # MMS of CR2: the trigger that others see
_EXTERNAL = 7  # SMS of SMCR: counts triggers
_WORD = 0xFFFF_FFFF


class Timer(Device):
    """The timer. The prescaler takes effect at an update event."""

    def __init__(self, facts: Facts, cycles: Callable[[], int], rates: Callable[[], tuple[int, int]]) -> None:
        """cycles: returns the core's cycles so far. rates: returns the current rates of core and timer in Hz."""
        super().__init__("tim2", facts.base, clock=facts.clock)
        self._cycles = cycles
        self._rates = rates
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words = {ARR: _WORD}
        self._prescaler = 1
        self._count = 0
        self._since = 0
        self._wraps = 0

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        return self._now() if offset == CNT else self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset == EGR:
            if value & _UPDATE:
                self._prescaler = self.words.get(PSC, 0) + 1
                self._set(0)
                self._wraps += 1
            return
        if offset == CNT:
            self._set(value)
            return
        if offset == CR1:
            self._set(self._now())
        self.words[offset] = value

    def updates(self) -> int:
        """How often it has given its update event to others."""
        if self.words.get(CR2, 0) & _OUTPUT != _OUTPUT_UPDATE:
            return 0
        return self._wraps + self._passed() // (self.words[ARR] + 1)

    def _set(self, count: int) -> None:
        self._wraps += self._passed() // (self.words[ARR] + 1)
        self._count, self._since = count, self._cycles()

    def _passed(self) -> int:
        """The count as if it did not wrap."""
        if not self.words.get(CR1, 0) & _ENABLE:
            return self._count
        core, timer = self._rates()
        return self._count + (self._cycles() - self._since) * timer // (max(core, 1) * self._prescaler)

    def _now(self) -> int:
        return self._passed() % (self.words[ARR] + 1)


class FollowingTimer(Device):
    """TIM3 in external clock mode 1: 16 bits that count the updates of another timer."""

    def __init__(self, base: int, clock: Clock, trigger: int, leader: Timer) -> None:
        super().__init__("tim3", base, clock=clock)
        self._leader = leader
        self._mode = trigger << 4 | _EXTERNAL
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words = {ARR: 0xFFFF}
        self._count = 0
        self._since = 0

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        return self._now() if offset == CNT else self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset in (CNT, CR1, SMCR):
            self._count, self._since = value if offset == CNT else self._now(), self._leader.updates()
        elif offset == EGR:
            self._count, self._since = 0, self._leader.updates()
            return
        self.words[offset] = value

    def _now(self) -> int:
        if not self.words.get(CR1, 0) & _ENABLE or self.words.get(SMCR, 0) & 0x77 != self._mode:
            return self._count
        return (self._count + self._leader.updates() - self._since) % (self.words[ARR] + 1)
