"""Exceptions: which one the core takes after a stop (Armv7-M Architecture Reference Manual B1.5)."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual import debug
from harness.virtual.cpu import (
    BFARVALID,
    BUS_FAULT,
    DACCVIOL,
    HARD_FAULT,
    IACCVIOL,
    IBUSERR,
    MEM_FAULT,
    MMARVALID,
    PRECISERR,
    SVCALL,
    USAGE_FAULT,
    XPSR,
    Cpu,
    Stop,
)

_NMI = 2
_FORCED, _DEBUG_EVENT, _VECTOR_TABLE = 1 << 30, 1 << 31, 1 << 1  # HFSR
_CONFIGURABLE = (MEM_FAULT, BUS_FAULT, USAGE_FAULT)


class Exceptions:
    """Takes exceptions for a core."""

    def __init__(
        self,
        cpu: Cpu,
        control: debug.SystemControl,
        vector: Callable[[int], int | None],
        halt: Callable[[int], None],
        lock_up: Callable[[], None],
    ) -> None:
        """vector: reads the word at an address of the vector table, None if there is no memory. halt: halts for the
        debugger, with bits of DFSR. lock_up: locks the core up.
        """
        self._cpu = cpu
        self._control = control
        self._vector = vector
        self._halt = halt
        self._lock_up = lock_up

    def handle(self, stop: Stop) -> None:
        """Takes the exception for a stop by FAULT, TRAP or BREAK, or halts for the debugger."""
        if stop is Stop.FAULT:
            self._fault()
        elif stop is Stop.TRAP:
            if self._cpu.trap == SVCALL:
                self._take(SVCALL, 0)
            else:
                self._cpu.leave()
        elif stop is Stop.BREAK:
            if self._control.debug_enabled:
                self._halt(debug.DFSR_BKPT)
            else:
                self._control.raise_status(debug.HFSR, _DEBUG_EVENT)
                self._take(HARD_FAULT, 0)

    def _fault(self) -> None:
        access = self._cpu.access
        if access is None:
            self._take(USAGE_FAULT, self._cpu.undefined)
        elif self._cpu.is_forbidden(access.address):
            self._control.words[debug.MMFAR] = access.address
            self._take(MEM_FAULT, IACCVIOL if access.fetch else DACCVIOL | MMARVALID)
        else:
            if not access.fetch:
                self._control.words[debug.BFAR] = access.address
            self._take(BUS_FAULT, IBUSERR if access.fetch else PRECISERR | BFARVALID)

    def _take(self, number: int, cause: int) -> None:
        """Enters an exception; one that is not enabled escalates to HardFault, one in HardFault locks up."""
        control = self._control
        present = self._cpu.registers[XPSR] & 0x1FF
        control.raise_status(debug.CFSR, cause)
        enabled = control.words.get(debug.SHCSR, 0) >> 12 & 0x70
        if number in _CONFIGURABLE and (present or not enabled >> number & 1):
            number = HARD_FAULT
            control.raise_status(debug.HFSR, _FORCED)
        if present in (_NMI, HARD_FAULT):
            self._lock_up()
            return
        if number == HARD_FAULT and control.catches(debug.VC_HARDERR):
            self._halt(debug.DFSR_VCATCH)
        control.raise_status(debug.CFSR, self._cpu.push_frame())
        vector = self._vector(control.words.get(debug.VTOR, 0) + 4 * number)
        if vector is None:
            control.raise_status(debug.HFSR, _VECTOR_TABLE)
            self._lock_up()
        else:
            self._cpu.enter(number, vector)
