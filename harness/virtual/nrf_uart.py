"""The UART of nRF51 and nRF52 without DMA (product specifications, chapter UART): tasks, events, and pins by number."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import UsartDescription
from harness.virtual.usart import ORE, Usart

_STARTRX, _STOPRX, _STARTTX, _STOPTX = 0x000, 0x004, 0x008, 0x00C
_TXDRDY, _ERRORSRC, _PSELTXD, _PSELRXD = 0x11C, 0x480, 0x50C, 0x514
_OVERRUN, _FRAMING = 1 << 0, 1 << 2


class NrfUart(Usart):
    """The UART: an event tells of each byte that came, and of each that has left."""

    CONTROL, DIVIDER, STATUS, RECEIVE, TRANSMIT, ENABLE = 0x500, 0x524, 0x108, 0x518, 0x51C, 4
    NATIVE = False

    def __init__(self, usart: UsartDescription, kernel_clock: Callable[[], int], idle: Callable[[], None]) -> None:
        """See base."""
        super().__init__(usart, kernel_clock, idle)
        self.size = 0x1000

    def reset(self) -> None:
        """Sets the registers to their values after reset, and discards bytes not sent."""
        super().reset()
        self.words = {0x508: 0xFFFF_FFFF, _PSELTXD: 0xFFFF_FFFF, 0x510: 0xFFFF_FFFF, _PSELRXD: 0xFFFF_FFFF}
        self._receives = self._transmits = False
        self._acknowledged = self._sent = False

    def _ready(self, control: int) -> int:
        del control
        return 1

    def baud(self) -> float:
        """The current rate in bits per second."""
        return self._kernel_clock() * (1 + self.clock_error) * (self.words.get(self.DIVIDER, 0) & ~0xFFF) / 2**32

    def pin(self, transmits: bool) -> int | None:
        """The number of the pin for one direction."""
        return self.words[_PSELTXD if transmits else _PSELRXD]

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register, without side effects for a debugger."""
        if offset == self.STATUS:
            return int(self._came(debugger))
        if offset == _TXDRDY:
            return int(self._left(debugger))
        if offset == _ERRORSRC:
            damaged = self.state.damaged and self.state.at < self.state.end
            return (_OVERRUN if self.state.flags & ORE else 0) | (_FRAMING if damaged else 0)
        if offset == self.RECEIVE:
            if not debugger:
                self._acknowledged = False
            return self._take(debugger)
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset == self.STATUS:
            self._acknowledged = not value and self.state.at < self.state.end
        elif offset == _TXDRDY:
            self._sent = bool(value)
        elif offset == _ERRORSRC:
            self.state.flags &= ~ORE if value & _OVERRUN else ~0
        elif offset in (_STARTRX, _STOPRX):
            self._receives = offset == _STARTRX
        elif offset in (_STARTTX, _STOPTX):
            self._transmits = offset == _STARTTX
            self.clock_changed(True)
        elif offset == self.TRANSMIT:
            self._sent = bool(self.state.can_send)
            self._send(value)
        else:
            super().write(offset, value, debugger)

    def clock_changed(self, runs: bool) -> None:
        """Updates whether it can send."""
        enabled = self.words.get(self.CONTROL, 0) & 0xF == self.ENABLE
        self.state.can_send = int(runs and enabled and self._transmits and not self.mute)

    def _came(self, debugger: bool) -> bool:
        state = self.state
        if self.words.get(self.CONTROL, 0) & 0xF != self.ENABLE or not self._receives:
            return False
        if state.at >= state.end and not debugger:
            self._fetch()
            if state.at >= state.end:
                self._wait()
        return state.at < state.end and not self._acknowledged

    def _left(self, debugger: bool) -> bool:
        if self._sent and self.line is not None and self.line.is_full():
            if not debugger:
                self._wait()
            return False
        return self._sent
