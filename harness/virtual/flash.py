"""Flash controllers: keys, erasing, programming, and their errors.

The emulator executes a store to flash before the controller can check it: the store is reported, and `settle` undoes
it and does what the controller does with it. `settle` is called before every access to the controller, and whenever
the core stops.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from harness.virtual.bus import Device
from harness.virtual.chip import FlashLayout
from harness.virtual.memory import Bytes

KEYS = (0x4567_0123, 0xCDEF_89AB)
OPTION_KEYS = (0x0819_2A3B, 0x4C5D_6E7F)


@dataclass
class FlashFaults:
    """Injected faults of the flash; offsets in bytes from its start.

    Attributes:
        protect: an erase or write of the sector with this offset ends in WRPERR.
        corrupt: the byte at this offset is programmed with a wrong bit, without an error.
        hang: the controller stays busy after its first operation.
    """

    protect: int | None = None
    corrupt: int | None = None
    hang: bool = False


class Keys:
    """A lock that two keys in order open; after a wrong key only the next reset makes that possible again."""

    def __init__(self, keys: tuple[int, int]) -> None:
        self._keys = keys
        self.reset()

    def reset(self) -> None:
        """Locks, and waits for the first key."""
        self.locked = True
        self._given = 0
        self._jammed = False

    def key(self, value: int) -> None:
        """Takes a key."""
        if not self.locked or self._jammed:
            return
        if value != self._keys[self._given]:
            self._jammed = True
            return
        self._given += 1
        if self._given == len(self._keys):
            self.locked = False

    def close(self) -> None:
        """Locks again."""
        if not self.locked:
            self.reset()


class FlashController(Device):
    """Base class of the controllers: the array, its sectors, and stores into it."""

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        """changed: called when code in the array may have changed."""
        super().__init__("flash", layout.base)
        self._layout = layout
        self._array = array
        self._changed = changed
        self._stores: list[tuple[int, bytes, bytes]] = []
        self._busy_for_good = False
        self._starts = [sum(layout.sectors[:i]) for i in range(len(layout.sectors) + 1)]
        self.faults = FlashFaults()
        self.erased = 0
        self.programmed = 0

    def store(self, address: int, size: int, value: int) -> None:
        """Records a store of the core into the flash."""
        offset = address - self._array.origin
        new = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        self._stores.append((offset, new, bytes(self._array.store[offset : offset + size])))

    def settle(self) -> None:
        """Undoes all recorded stores, and programs them as the controller does."""
        if not self._stores:
            return
        stores, self._stores = self._stores, []
        for offset, _, old in reversed(stores):
            self._array.store[offset : offset + len(old)] = old
        for offset, new, _ in stores:
            self.program(offset, new)
        self._changed()

    @abstractmethod
    def program(self, offset: int, data: bytes) -> None:
        """Programs data at an offset in the array."""

    def _erase(self, first: int, last: int) -> bool:
        """Erases sectors; returns False if one is protected."""
        start, end = self._starts[first], self._starts[last + 1]
        if self._is_protected(start, end):
            return False
        self._array.store[start:end] = b"\xff" * (end - start)
        self.erased += end - start
        self._hang()
        self._changed()
        return True

    def _write(self, offset: int, data: bytes) -> bool:
        """Clears bits; returns False if the sector is protected."""
        sector = next(i for i, start in enumerate(self._starts[1:]) if offset < start)
        if self._is_protected(self._starts[sector], self._starts[sector + 1]):
            return False
        old = self._array.store[offset : offset + len(data)]
        new = bytearray(a & b for a, b in zip(old, data, strict=True))
        corrupt = self.faults.corrupt
        if corrupt is not None and offset <= corrupt < offset + len(data):
            new[corrupt - offset] ^= 1
        self._array.store[offset : offset + len(data)] = bytes(new)
        self.programmed += len(data)
        self._hang()
        return True

    def _hang(self) -> None:
        self._busy_for_good = self._busy_for_good or self.faults.hang

    def _is_protected(self, start: int, end: int) -> bool:
        protected = self.faults.protect
        return protected is not None and start <= protected < end

    def _sector(self, number: int) -> bool:
        return 0 <= number < len(self._layout.sectors)
