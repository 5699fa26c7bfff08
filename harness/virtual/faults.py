"""Injected faults of a virtual board, for tests.

NAME or NAME@WHERE, several separated by commas:

    wrperr@ADDRESS         erasing or programming the sector at this address ends in WRPERR
    corrupt@ADDRESS        the byte there is programmed with a bit wrong, silently
    flash-hang             the flash controller stays busy for ever
    idcode@VALUE           DBGMCU_IDCODE reads this
    probe-gone@BYTES       the probe vanishes after so many bytes written through it
    brown-out@COUNT        power dips after so many instructions from now on, once
    overrun@COUNT          of the bytes that come after so many, sixteen are lost, once
    overruns@COUNT         the same, again and again
    baud@PERCENT           the serial port's kernel clock is off by so much
    port-gone@BYTES        the serial port vanishes after it has sent so many bytes
    stuck0@ADDRESS.BIT     a bit of a peripheral's register reads as 0 for ever: a PLL that never locks
    stuck1@ADDRESS.BIT     the same as 1
    mute@BYTES             the UART's transmitter is never ready again after so many bytes
"""

from __future__ import annotations

import os
import signal

from harness.errors import OptionError
from harness.virtual.machine import Machine

VARIABLE = "TINYHIL_VIRTUAL_FAULTS"
_LOST_BYTES = 16


class Faults:
    """Injects faults into a machine. The forms of `fault` are given in the module."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._written = 0
        self._gone_after: int | None = None

    def add_all(self, text: str) -> None:
        """Injects several faults, as in $TINYHIL_VIRTUAL_FAULTS. Raises OptionError."""
        for fault in filter(None, (part.strip() for part in text.split(","))):
            self.add(fault)

    def add(self, fault: str) -> None:
        """Injects a fault. Raises OptionError."""
        name, _, place = fault.partition("@")
        where, _, bit = place.partition(".")
        machine = self._machine
        try:
            value = int(where, 0) if where else 0
            mask = 1 << int(bit) if bit else 0
        except ValueError:
            raise self._unknown(fault) from None
        flash = machine.flash
        match name:
            case "wrperr":
                flash.faults.protect = value - machine.flash_origin
            case "corrupt":
                flash.faults.corrupt = value - machine.flash_origin
            case "flash-hang":
                flash.faults.hang = True
            case "idcode":
                machine.set_idcode(value)
            case "probe-gone":
                self._gone_after = self._written + value
            case "brown-out":
                machine.brown_out_at = machine.instructions + value
            case "overrun" | "overruns":
                machine.usart.lose_at = machine.usart.received + value, _LOST_BYTES
                machine.usart.loses_on = name == "overruns"
            case "baud":
                machine.usart.clock_error = value / 100
            case "port-gone":
                machine.terminal.vanish_after = machine.terminal.sent + value
            case "stuck0" | "stuck1" if mask:
                zeros, ones = machine.bus.stuck.get(value, (0, 0))
                machine.bus.stuck[value] = (zeros | mask, ones) if name == "stuck0" else (zeros, ones | mask)
            case "mute":
                machine.usart.mute_after(value)
            case _:
                raise self._unknown(fault)

    def debugger_write(self, size: int) -> None:
        """Counts bytes that the debugger writes; ends the process for probe-gone, as if the cable were pulled."""
        self._written += size
        if self._gone_after is not None and self._written > self._gone_after:
            os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def _unknown(fault: str) -> OptionError:
        return OptionError(f"no such fault of a virtual board: {fault}", hint="harness/virtual/faults.py lists them")
