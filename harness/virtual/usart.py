"""USARTs on a line: the common base class, and the kinds with ISR, RDR and TDR and with SR and DR."""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from harness.virtual.bus import Device
from harness.virtual.chip import UsartDescription
from harness.virtual.native import SerialState

# Bits that both kinds have in the same places: of CR1, and of ISR or SR
RE, TE, OVER8 = 1 << 2, 1 << 3, 1 << 15
FE, ORE, RXNE, TC, TXE = 1 << 1, 1 << 3, 1 << 5, 1 << 6, 1 << 7

_RQR, _ICR, _PRESC = 0x18, 0x20, 0x2C
_FIFOEN = 1 << 29
_TEACK, _REACK, _TXFE = 1 << 21, 1 << 22, 1 << 23
_CLEARABLE = 0x0002_095F
_RXFRQ = 1 << 3
_PRESCALERS = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256)
_IDLE_POLLS = 32


class Line(Protocol):
    """The line that a serial port is connected to."""

    def take(self, baud: float) -> tuple[bytes, bool]:
        """(bytes received since the last call, whether any is damaged), for a receiver at this rate in baud."""

    def give(self, data: bytes, baud: float) -> None:
        """Sends bytes at this rate in baud."""

    def is_full(self) -> bool:
        """Whether the other end takes no more bytes for now."""


class Usart(Device, ABC):
    """A USART. Bytes on the line wait until the firmware takes them: overruns occur only if injected.

    Attributes:
        CONTROL, DIVIDER, STATUS, RECEIVE, TRANSMIT: offsets of CR1, BRR, and of the registers used for every byte.
        ENABLE: the enable bit in CR1.
        state: shared with native code, which handles the registers used for every byte.
        line: that it is connected to; None for no line.
        received: number of bytes received.
        lose_at: (number of received bytes after which there is an overrun, number of bytes lost), or None.
        loses_on: whether overruns repeat after that.
        clock_error: relative error of the kernel clock.
        mute: whether the transmitter is never ready again.
        NATIVE: whether native code may handle them.
    """

    NATIVE = True

    CONTROL: int
    DIVIDER: int
    STATUS: int
    RECEIVE: int
    TRANSMIT: int
    ENABLE: int

    def __init__(self, usart: UsartDescription, kernel_clock: Callable[[], int], idle: Callable[[], None]) -> None:
        """kernel_clock: returns its current rate in Hz. idle: called when the firmware only polls the status."""
        super().__init__(usart.name, usart.base, clock=usart.clock)
        self._usart = usart
        self._kernel_clock = kernel_clock
        self._idle = idle
        self.state = SerialState(status_at=self.STATUS, receive_at=self.RECEIVE, transmit_at=self.TRANSMIT)
        self.line: Line | None = None
        self.received = 0
        self.lose_at: tuple[int, int] | None = None
        self.loses_on = False
        self.clock_error = 0.0
        self.mute = False
        self._mute_in: int | None = None
        self.reset()

    @abstractmethod
    def _ready(self, control: int) -> int:
        """The status when it can send and no byte is received, for a value of CR1."""

    def pin(self, transmits: bool) -> int | None:
        """The number of the pin that it has chosen for one direction; None where the pins choose it."""
        del transmits
        return None

    def _scale(self) -> int:
        """The prescaler of the kernel clock."""
        return 1

    def reset(self) -> None:
        """Sets the registers to their values after reset, and discards bytes not sent."""
        self.words = {}
        state = self.state
        state.can_send = state.flags = state.polls = state.damaged = state.at = state.end = state.sent = 0

    def baud(self) -> float:
        """The current rate in bits per second; 0 if it cannot send."""
        divider = self.words.get(self.DIVIDER, 0)
        clock = self._kernel_clock() * (1 + self.clock_error) / self._scale()
        if self._usart.low_power:
            return 256 * clock / divider if divider >= 0x300 else 0.0
        if self.words.get(self.CONTROL, 0) & OVER8:
            divider = divider & 0xFFF0 | (divider & 7) << 1
            clock *= 2
        return clock / divider if divider >= 16 else 0.0

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register, without side effects for a debugger."""
        state = self.state
        if offset == self.STATUS:
            if self.mute and state.polls and state.at >= state.end and not debugger:
                # what is waited for may never come: the firmware is to find that out soon
                state.polls = (state.polls + 1) % _IDLE_POLLS
                return state.flags
            if state.polls == 0 and state.can_send and not state.damaged and not debugger:
                state.polls = 1  # the poll for room after each byte sent
                return state.can_send | state.flags | (RXNE if state.at < state.end else 0)
            return self._status(debugger)
        if offset == self.RECEIVE:
            return self._take(debugger)
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        del debugger
        if offset == self.TRANSMIT:
            self._send(value)
        elif offset != self.STATUS:
            if offset in (self.CONTROL, self.DIVIDER):
                self.flush()  # bytes sent before go at the rate before
            self.words[offset] = value
            if offset == self.CONTROL:
                self.clock_changed(True)

    def clock_changed(self, runs: bool) -> None:
        """Updates whether it can send."""
        control = self.words.get(self.CONTROL, 0)
        able = not self.mute and runs and control & (self.ENABLE | TE) == self.ENABLE | TE
        self.state.can_send = self._ready(control) if able else 0

    def mute_after(self, count: int) -> None:
        """Makes the transmitter fail permanently after `count` more bytes."""
        self._mute_in = count
        self._count_down(0)

    def _count_down(self, sent: int) -> None:
        """Counts sent bytes down to the transmitter's failure, if one is injected."""
        if self._mute_in is not None:
            self._mute_in -= sent
            if self._mute_in <= 0:
                self.mute = True
                self.state.can_send = 0

    def flush(self) -> None:
        """Gives the bytes that the firmware has sent to the line."""
        state = self.state
        if state.sent:
            data = bytes(state.output[: state.sent])
            self._count_down(state.sent)
            state.sent = 0
            if self.line is not None:
                self.line.give(data, self.baud())
                if self.line.is_full():
                    state.polls = max(state.polls, 1)

    def _send(self, value: int) -> None:
        state = self.state
        state.polls = 0
        if state.can_send:
            state.output[state.sent] = value & 0xFF
            state.sent += 1
            if state.sent == len(state.output):
                self.flush()

    def _status(self, debugger: bool) -> int:
        control = self.words.get(self.CONTROL, 0)
        if not control & self.ENABLE:
            return TC | TXE
        status = self.state.flags
        ready = 0 if self.mute else self._ready(control)
        if control & TE:
            if self.line is None or not self.line.is_full():
                status |= ready
            else:
                status |= ready & ~(TC | TXE | _TXFE)
                if not debugger:
                    self._wait()
        if control & RE:
            status |= ready & _REACK
            if self.state.at >= self.state.end and not debugger:
                self._fetch()
                status |= self.state.flags
            if self.state.at < self.state.end:
                status |= RXNE | (FE if self.state.damaged else 0)
                self.state.polls = 1
            elif not debugger:
                self._wait()
        return status

    def _fetch(self) -> None:
        self.flush()
        if self.line is None:
            return
        data, damaged = self.line.take(self.baud())
        if not data:
            return
        self.state.damaged = int(damaged)
        self.received += len(data)
        if self.lose_at is not None and self.received >= self.lose_at[0]:
            data = data[: -self.lose_at[1]]
            self.lose_at = self.lose_at if self.loses_on else None
            self.state.flags |= ORE
        ctypes.memmove(self.state.input, data, len(data))
        self.state.at, self.state.end = 0, len(data)

    def _take(self, debugger: bool) -> int:
        state = self.state
        at = state.at
        if at >= state.end:
            return 0
        if not debugger:
            state.at = at + 1
        return int(state.input[at])

    def _wait(self) -> None:
        """Calls `idle` after many polls of the status without another access."""
        self.state.polls += 1
        if self.state.polls >= _IDLE_POLLS:
            self.state.polls = 1
            self._idle()


class IsrPort(Usart):
    """The kind with ISR, RDR and TDR: errors are cleared through ICR."""

    CONTROL, DIVIDER, STATUS, RECEIVE, TRANSMIT, ENABLE = 0x00, 0x0C, 0x1C, 0x24, 0x28, 1 << 0

    def _ready(self, control: int) -> int:
        return TC | TXE | _TEACK | (_REACK if control & RE else 0) | (_TXFE if control & _FIFOEN else 0)

    def _scale(self) -> int:
        return _PRESCALERS[min(self.words.get(_PRESC, 0) & 15, 11)]

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        state = self.state
        if offset == _ICR:
            state.flags &= ~(value & _CLEARABLE)
        elif offset == _RQR:
            if value & _RXFRQ:
                state.at = state.end
        elif offset != self.RECEIVE:
            if offset == _PRESC:
                self.flush()
            super().write(offset, value, debugger)


class StatusPort(Usart):
    """The kind with SR and DR (USART of the F4): reading SR and then DR clears errors."""

    STATUS, RECEIVE, TRANSMIT, DIVIDER, CONTROL, ENABLE = 0x00, 0x04, 0x04, 0x08, 0x0C, 1 << 13

    def _ready(self, control: int) -> int:
        del control
        return TC | TXE

    def _take(self, debugger: bool) -> int:
        if not debugger:
            self.state.flags = 0
        return super()._take(debugger)
