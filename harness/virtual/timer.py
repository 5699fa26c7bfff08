"""TIM2 as a free-running 32-bit counter with a prescaler."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import Device
from harness.virtual.chip import TimerSpec as Facts

CR1, EGR, CNT, PSC, ARR = 0x00, 0x14, 0x24, 0x28, 0x2C
_ENABLE, _UPDATE = 1, 1
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

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        return self._now() if offset == CNT else self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset == EGR:
            if value & _UPDATE:
                self._prescaler = self.words.get(PSC, 0) + 1
                self._count, self._since = 0, self._cycles()
            return
        if offset == CNT:
            self._count, self._since = value, self._cycles()
            return
        if offset == CR1:
            self._count, self._since = self._now(), self._cycles()
        self.words[offset] = value

    def _now(self) -> int:
        if not self.words.get(CR1, 0) & _ENABLE:
            return self._count
        core, timer = self._rates()
        passed = (self._cycles() - self._since) * timer // (max(core, 1) * self._prescaler)
        return (self._count + passed) % (self.words[ARR] + 1)
