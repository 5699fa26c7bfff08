"""The debug port of a chip and its access port for a probe (Arm Debug Interface v5.2): registers, and transfers that
read and write the virtual board's memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.virtual.remote import RemoteBusError, RemoteMachine

DPIDR, CTRL_STAT, SELECT, RDBUFF = 0x0, 0x4, 0x8, 0xC
CSW, TAR, DRW, BD0, CFG, BASE, IDR = 0x00, 0x04, 0x0C, 0x10, 0xF4, 0xF8, 0xFC

_ROM_TABLE = 0xE00F_F003
_CONTROL_RESET, _LOCK_STATUS = 0x00, 0x0C  # of an nRF52's CTRL-AP: RESET; APPROTECTSTATUS, 1 where it is open
_STICKY_ERROR, _ABORT_STICKY_ERROR = 1 << 5, 1 << 2
_POWER_REQUESTS, _POWER_SHIFT = 0x5400_0000, 1
_INCREMENT, _SIZE = 0x30, 0x7
_TAR_WRAP = 0x400


class TransferFaultError(Exception):
    """The access port answered with FAULT."""


class DebugPort:
    """The debug port (DP) and access port (AP) 0."""

    def __init__(self, machine: RemoteMachine) -> None:
        self._machine = machine
        self._dpidr, self._idr = machine.debug_port, machine.access_port
        self._control = 0
        self._select = 0
        self._csw = 0x2300_0052
        self._tar = 0
        self._sticky = False

    def read_dp(self, address: int) -> int:
        """Reads a DP register of bank 0, or DPIDR."""
        bank = self._select & 0xF
        if address == DPIDR:
            return self._dpidr
        if address == CTRL_STAT:
            if bank:
                return 0
            ready = (self._control & _POWER_REQUESTS) << _POWER_SHIFT
            return self._control | ready | (_STICKY_ERROR if self._sticky else 0)
        return 0

    def write_dp(self, address: int, value: int) -> None:
        """Writes a DP register; address 0 is ABORT."""
        if address == DPIDR:
            if value & _ABORT_STICKY_ERROR:
                self._sticky = False
        elif address == CTRL_STAT and not self._select & 0xF:
            self._control = value & _POWER_REQUESTS
        elif address == SELECT:
            self._select = value

    def read_ap(self, address: int, count: int) -> list[int]:
        """Reads a register of an AP `count` times. Raises TransferFaultError."""
        port, register = self._selected(address)
        if port == 1 and register in (IDR, _LOCK_STATUS):
            return [self._machine.control_port if register == IDR else 1] * count
        if port:
            return [0] * count  # no such AP
        if register == DRW:
            return self._read_memory(count)
        if BD0 <= register < BD0 + 16:
            return [int.from_bytes(self._read(self._tar & ~0xF | register & 0xF, 4), "little")] * count
        return [{CSW: self._csw, TAR: self._tar, BASE: _ROM_TABLE, IDR: self._idr}.get(register, 0)] * count

    def write_ap(self, address: int, values: Sequence[int]) -> None:
        """Writes values to a register of an AP, one after another. Raises TransferFaultError."""
        port, register = self._selected(address)
        if port == 1 and register == _CONTROL_RESET and self._machine.control_port:
            self._machine.hold(bool(values[-1] & 1))
        if port:
            return
        if register == DRW:
            self._write_memory(values)
        elif BD0 <= register < BD0 + 16:
            for value in values:
                self._write(self._tar & ~0xF | register & 0xF, value.to_bytes(4, "little"))
        elif register == CSW:
            self._csw = values[-1] & ~0xC0 | 0x40  # DeviceEn
        elif register == TAR:
            self._tar = values[-1]

    def _selected(self, address: int) -> tuple[int, int]:
        """(number of the AP, register): from SELECT and two bits of the address."""
        return self._select >> 24, self._select & 0xF0 | address & 0xC

    def _unit(self) -> int:
        return 1 << min(self._csw & _SIZE, 2)

    def _run(self, left: int) -> int:
        """Number of transfers that can be made at once: at most up to where TAR wraps."""
        if not self._csw & _INCREMENT:
            return 1
        return min(left, (_TAR_WRAP - self._tar % _TAR_WRAP) // self._unit() or 1)

    def _advance(self, count: int) -> None:
        """Increments TAR, which wraps in its low ten bits."""
        if self._csw & _INCREMENT:
            low = (self._tar % _TAR_WRAP + count * self._unit()) % _TAR_WRAP
            self._tar = self._tar - self._tar % _TAR_WRAP + low

    def _read_memory(self, count: int) -> list[int]:
        values: list[int] = []
        unit = self._unit()
        while len(values) < count:
            part = self._run(count - len(values))
            data = self._read(self._tar, part * unit)
            for index in range(part):
                lane = 8 * ((self._tar + index * unit) % 4) if unit < 4 else 0
                values.append(int.from_bytes(data[index * unit : (index + 1) * unit], "little") << lane)
            self._advance(part)
        return values

    def _write_memory(self, values: Sequence[int]) -> None:
        done, unit = 0, self._unit()
        while done < len(values):
            part = self._run(len(values) - done)
            data = bytearray()
            for index, value in enumerate(values[done : done + part]):
                lane = 8 * ((self._tar + index * unit) % 4) if unit < 4 else 0
                data += (value >> lane & (1 << 8 * unit) - 1).to_bytes(unit, "little")
            self._write(self._tar, bytes(data))
            self._advance(part)
            done += part

    def _read(self, address: int, length: int) -> bytes:
        self._check()
        try:
            return self._machine.read(address, length)
        except RemoteBusError as error:
            self._sticky = True
            raise TransferFaultError(str(error)) from error

    def _write(self, address: int, data: bytes) -> None:
        self._check()
        try:
            self._machine.write(address, data)
        except RemoteBusError as error:
            self._sticky = True
            raise TransferFaultError(str(error)) from error

    def _check(self) -> None:
        if self._sticky:
            raise TransferFaultError("an error before this was not cleared")
