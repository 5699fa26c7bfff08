"""A debugger's access to memory and registers: any length at any address; flash through its controller."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.virtual.bus import Bus
from harness.virtual.flash import FlashController
from harness.virtual.memory import Bytes


class BusError(Exception):
    """A debugger's access to an address without memory or peripheral."""


class DebuggerAccess:
    """A debugger's reads and writes."""

    def __init__(
        self,
        memory: Sequence[Bytes],
        bus: Bus,
        flash: FlashController,
        *,
        code_changed: Callable[[], None],
        register_written: Callable[[], None],
    ) -> None:
        """Access to a chip.

        Args:
            memory: its ranges of memory.
            bus: its peripherals.
            flash: its flash controller.
            code_changed: called after a write to RAM, where code may be.
            register_written: called after a write to a peripheral, which may request a halt or a reset.
        """
        self._memory = memory
        self._bus = bus
        self._flash = flash
        self._code_changed = code_changed
        self._register_written = register_written

    def read(self, address: int, length: int) -> bytes:
        """Reads memory, or registers word by word.

        Raises:
            BusError: there is neither memory nor peripheral.
        """
        for region in self._memory:
            if region.holds(address, length):
                return region.read(address, length)
        data = bytearray()
        while len(data) < length:
            at = address + len(data)
            size = _access_size(at, length - len(data))
            if self._bus.at(at) is None:
                data += self._part(at, size)
            else:
                data += self._bus.read(at, size, True).to_bytes(size, "little")
        return bytes(data)

    def _part(self, address: int, size: int) -> bytes:
        for region in self._memory:
            if region.holds(address, size):
                return region.read(address, size)
        raise BusError(f"nothing is at 0x{address:08x}")

    def write(self, address: int, data: bytes) -> None:
        """Writes memory or registers; a write to flash goes through the flash controller.

        Raises:
            BusError: there is neither memory nor peripheral.
        """
        done = 0
        while done < len(data):
            at, left = address + done, len(data) - done
            region = next((r for r in self._memory if r.origin <= at < r.origin + r.size), None)
            if region is not None and region.kind == "ram":
                size = min(left, region.origin + region.size - at)
                region.write(at, data[done : done + size])
                self._code_changed()
            else:
                size = _access_size(at, left)
                value = int.from_bytes(data[done : done + size], "little")
                if region is not None:
                    self._flash.store(at, size, value)
                    self._flash.settle()
                elif self._bus.at(at) is None:
                    raise BusError(f"nothing is at 0x{at:08x}")
                else:
                    self._bus.write(at, size, value, True)
                    self._register_written()
            done += size


def _access_size(address: int, left: int) -> int:
    """Bytes of the widest aligned access at an address, at most `left`."""
    return 4 if address % 4 == 0 and left >= 4 else 2 if address % 2 == 0 and left >= 2 else 1
