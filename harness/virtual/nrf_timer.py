"""TIMER of nRF51 and nRF52 as a free-running counter, read by capturing (product specifications, chapter TIMER)."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import Device
from harness.virtual.chip import TimerSpec

_START, _STOP, _CLEAR, _CAPTURE, _CAPTURES = 0x000, 0x004, 0x00C, 0x040, 6
_BITMODE, _PRESCALER, _COMPARE = 0x508, 0x510, 0x540
_WIDTHS = (16, 8, 24, 32)


class NrfTimer(Device):
    """The timer."""

    def __init__(self, facts: TimerSpec, cycles: Callable[[], int], rates: Callable[[], tuple[int, int]]) -> None:
        """cycles: returns the core's cycles so far. rates: returns the current rates of core and timer in Hz."""
        super().__init__("timer0", facts.base, 0x1000)
        self._cycles = cycles
        self._rates = rates
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words = {_PRESCALER: 4}
        self._count = 0
        self._since: int | None = None

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register, or starts a task."""
        del debugger
        capture = (offset - _CAPTURE) // 4
        if 0 <= capture < _CAPTURES:
            self.words[_COMPARE + 4 * capture] = self._now()
        elif offset in (_START, _STOP, _CLEAR):
            self._count = 0 if offset == _CLEAR else self._now()
            runs = offset == _START or offset == _CLEAR and self._since is not None
            self._since = self._cycles() if runs else None
        else:
            self._count, self._since = self._now(), None if self._since is None else self._cycles()
            self.words[offset] = value

    def _now(self) -> int:
        passed = 0
        if self._since is not None:
            core, timer = self._rates()
            passed = (self._cycles() - self._since) * timer // max(core, 1) >> (self.words[_PRESCALER] & 0xF)
        return self._count + passed & (1 << _WIDTHS[self.words.get(_BITMODE, 0) & 3]) - 1
