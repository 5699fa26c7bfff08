"""The bus: peripherals by address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.virtual.chip import Clock, RegisterMap
from harness.virtual.native import Native, SerialState

WORD = 0xFFFF_FFFF
PAGE = 0x1000


class Device:
    """A peripheral: words at offsets from a base. `debugger`: whether an access is through the debug port.

    Attributes:
        name, base, size: its name, address and bytes.
        clock: its enable bit; None if it is always clocked.
        serial: state that the connected serial port shares with native code.
    """

    serial: SerialState | None = None

    def __init__(self, name: str, base: int, size: int = 0x400, clock: Clock | None = None) -> None:
        self.name = name
        self.base = base
        self.size = size
        self.clock = clock
        self.words: dict[int, int] = {}

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words.clear()

    def read(self, offset: int, debugger: bool) -> int:
        """Reads the word at an aligned offset."""
        del debugger
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes the word at an aligned offset."""
        del debugger
        self.words[offset] = value


class RegisterBlock(Device):
    """Memory cells, with status bits that follow control bits immediately."""

    def __init__(self, facts: RegisterMap) -> None:
        super().__init__(facts.name, facts.base, facts.size, facts.clock)
        self._facts = facts
        self._status: dict[int, int] = dict(facts.always)
        for follow in facts.follows:
            offset, low = follow.status
            self._status[offset] = self._status.get(offset, 0) | ((1 << follow.width) - 1) << low
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words = dict(self._facts.reset)

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a cell, with its status bits."""
        del debugger
        value = self.words.get(offset, 0)
        if offset not in self._status:
            return value
        value = value & ~self._status[offset] | self._facts.always.get(offset, 0)
        for follow in self._facts.follows:
            at, low = follow.status
            if at == offset:
                source, source_low = follow.source
                value |= (self.words.get(source, 0) >> source_low & (1 << follow.width) - 1) << low
        return value


class Bus:
    """All peripherals. Addresses without one are not mapped: the core's accesses there are bus faults.

    Attributes:
        devices: the peripherals.
        stuck: address of a register -> (bits that always read as 0, bits that always read as 1).

    """

    def __init__(self, note: Callable[[str], None]) -> None:
        """note: called once for each kind of access that firmware on real silicon must not make."""
        self.stuck: dict[int, tuple[int, int]] = {}
        self.devices: list[Device] = []
        self._pages: dict[int, list[Device]] = {}
        self._note = note
        self._rcc = Device("rcc", 0)

    def add(self, device: Device) -> None:
        """Adds a peripheral."""
        self.devices.append(device)
        if device.name == "rcc":
            self._rcc = device
        for page in range(device.base // PAGE, (device.base + device.size - 1) // PAGE + 1):
            self._pages.setdefault(page, []).append(device)

    def named(self, name: str) -> Device:
        """The peripheral of this name."""
        return next(device for device in self.devices if device.name == name)

    def at(self, address: int) -> Device | None:
        """The peripheral at an address."""
        for device in self._pages.get(address // PAGE, ()):
            if device.base <= address < device.base + device.size:
                return device
        return None

    def is_clocked(self, device: Device) -> bool:
        """Whether a peripheral's enable bit is set."""
        clock = device.clock
        return clock is None or bool(self._rcc.words.get(clock.offset, 0) >> clock.bit & 1)

    def read(self, address: int, size: int, debugger: bool) -> int:
        """Reads 1, 2 or 4 bytes; 0 from a peripheral without clock."""
        device = self._answering(address, debugger)
        if device is None:
            return 0
        shift = 8 * (address & 3)
        value = self._as_stuck(address & ~3, device.read((address & ~3) - device.base, debugger))
        return value >> shift & (1 << 8 * size) - 1

    def _as_stuck(self, address: int, value: int) -> int:
        zeros, ones = self.stuck.get(address, (0, 0))
        return value & ~zeros | ones

    def write(self, address: int, size: int, value: int, debugger: bool) -> None:
        """Writes 1, 2 or 4 bytes; an upper part of a word together with the rest of the word as it reads."""
        device = self._answering(address, debugger)
        if device is None:
            return
        offset, shift = (address & ~3) - device.base, 8 * (address & 3)
        if shift:
            mask = ((1 << 8 * size) - 1) << shift
            value = device.read(offset, debugger) & ~mask & WORD | value << shift & mask
        device.write(offset, value & WORD, debugger)

    def _answering(self, address: int, debugger: bool) -> Device | None:
        device = self.at(address)
        if device is None:
            self._note(f"access to 0x{address:08x}, where no peripheral is modelled")
            return None
        if not debugger and not self.is_clocked(device):
            self._note(f"access to {device.name} at 0x{address:08x} before its clock is enabled")
            return None
        return device

    def attach(self, engine: Any, failed: Callable[[BaseException], None], native: Native | None) -> None:
        """Maps all peripherals into the emulator; `failed` gets exceptions, which its C code cannot pass on."""
        for page, devices in sorted(self._pages.items()):
            read, write = self._callbacks(page * PAGE, devices, failed)
            serial = next((device for device in devices if device.serial is not None), None)
            if native is None or serial is None or serial.serial is None:
                engine.mmio_map(page * PAGE, PAGE, read, None, write, None)
            else:
                native.map_serial(engine, page * PAGE, PAGE, serial.base, serial.serial, read, write)

    def _callbacks(
        self, base: int, devices: Sequence[Device], failed: Callable[[BaseException], None]
    ) -> tuple[Callable[..., int], Callable[..., None]]:
        """(reader, writer) of a page; faster for the connected serial port, or else the page's first device."""
        first = next((device for device in devices if device.serial is not None), devices[0])
        clock, rcc, shift, end = first.clock, self._rcc, base - first.base, first.size

        def is_clocked() -> bool:
            return clock is None or bool(rcc.words.get(clock.offset, 0) >> clock.bit & 1)

        def read(engine: Any, offset: int, size: int, data: Any) -> int:
            del engine, data
            try:
                if size == 4 and 0 <= offset + shift < end and is_clocked():
                    value = first.read(offset + shift, False)
                    return self._as_stuck(base + offset, value) if self.stuck else value
                return self.read(base + offset, size, False)
            except BaseException as error:
                failed(error)
                return 0

        def write(engine: Any, offset: int, size: int, value: int, data: Any) -> None:
            del engine, data
            try:
                if size == 4 and 0 <= offset + shift < end and is_clocked():
                    first.write(offset + shift, value, False)
                else:
                    self.write(base + offset, size, value, False)
            except BaseException as error:
                failed(error)

        return read, write
