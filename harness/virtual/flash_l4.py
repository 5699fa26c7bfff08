"""The flash controller of L4 (RM0351 chapter 3): pages in two banks, programmed by two words in turn."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout
from harness.virtual.flash import KEYS, OPTION_KEYS, FlashController, Keys
from harness.virtual.memory import Bytes


class L4Flash(FlashController):
    """The controller of L4: pages, programmed by two words in turn."""

    ACR, KEYR, OPTKEYR, SR, CR, OPTR = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x20
    PG, PER, MER1, BKER, MER2 = 1 << 0, 1 << 1, 1 << 2, 1 << 11, 1 << 15
    START, OPTLOCK, LOCK = 1 << 16, 1 << 30, 1 << 31
    DONE, WRITTEN, PROTECTED, ALIGNMENT, SIZE, SEQUENCE, BUSY = 1 << 0, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 16
    DOUBLE = 8

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self._lock, self._options = Keys(KEYS), Keys(OPTION_KEYS)
        self._first: tuple[int, bytes] | None = None
        self.reset()

    def reset(self) -> None:
        """Locks, and sets the registers to their values after reset."""
        self.words = {self.ACR: 0x600, self.OPTR: self._layout.options}
        self._stores = []
        self._busy_for_good = False
        self._first = None
        self._status = 0
        self._lock.reset()
        self._options.reset()

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        self.settle()
        if offset == self.SR:
            return self._status | (self.BUSY if self._busy_for_good else 0)
        if offset == self.CR:
            locks = (self.LOCK if self._lock.locked else 0) | (self.OPTLOCK if self._options.locked else 0)
            return self.words.get(self.CR, 0) | locks
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        self.settle()
        if offset == self.KEYR:
            self._lock.key(value)
        elif offset == self.OPTKEYR:
            if not self._lock.locked:
                self._options.key(value)
        elif offset == self.SR:
            self._status &= ~value
        elif offset == self.CR:
            self._control(value)
        elif offset != self.OPTR or not self._options.locked:
            self.words[offset] = value

    def _control(self, value: int) -> None:
        if self._lock.locked:
            return
        self.words[self.CR] = value & ~(self.START | self.LOCK | self.OPTLOCK)
        if value & self.START:
            self._status |= self.DONE if self._start(value) else self.PROTECTED
        if value & self.LOCK:
            self._options.close()
            self._lock.close()

    def _start(self, value: int) -> bool:
        half = len(self._layout.sectors) // 2
        erased = True
        if value & self.MER1:
            erased = self._erase(0, half - 1)
        if value & self.MER2:
            erased = self._erase(half, 2 * half - 1) and erased
        if value & self.PER:
            page = (half if value & self.BKER else 0) + (value >> 3 & 0xFF)
            erased = self._sector(page) and self._erase(page, page)
        return erased

    def program(self, offset: int, data: bytes) -> None:
        """Keeps the first word of a pair, and programs both with the second."""
        if self._lock.locked or not self.words.get(self.CR, 0) & self.PG:
            self._status |= self.SEQUENCE
        elif len(data) != 4:
            self._status |= self.SIZE
        elif self._first is None:
            if offset % self.DOUBLE:
                self._status |= self.ALIGNMENT
            else:
                self._first = (offset, data)
        else:
            start, first = self._first
            self._first = None
            if offset != start + 4:
                self._status |= self.ALIGNMENT
            elif any(byte != 0xFF for byte in self._array.store[start : start + 8]) and any(first + data):
                self._status |= self.WRITTEN
            else:
                self._status |= self.DONE if self._write(start, first + data) else self.PROTECTED
