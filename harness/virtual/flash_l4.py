"""The flash controllers of L4 (RM0351 chapter 3), G0 (RM0444) and U5 (RM0456): pages in two banks, programmed by two or
four words in turn.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout
from harness.virtual.flash import KEYS, OPTION_KEYS, FlashController, Keys
from harness.virtual.memory import Bytes


class L4Flash(FlashController):
    """The controller of L4: pages, programmed by two words in turn."""

    ACR, KEYR, OPTKEYR, SR, CR, OPTR = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x20
    ACR_RESET = 0x600
    PG, PER, MER1, BKER, MER2 = 1 << 0, 1 << 1, 1 << 2, 1 << 11, 1 << 15
    PAGES = 0xFF  # mask of the page's number
    START, OPTLOCK, LOCK = 1 << 16, 1 << 30, 1 << 31
    DONE, WRITTEN, PROTECTED, ALIGNMENT, SIZE, SEQUENCE, BUSY = 1 << 0, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 16
    UNIT = 8  # bytes that are programmed at once

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self._lock, self._options = Keys(KEYS), Keys(OPTION_KEYS)
        self._begun: tuple[int, bytes] | None = None
        self.reset()

    def reset(self) -> None:
        """Locks, and sets the registers to their values after reset."""
        self.words = {self.ACR: self.ACR_RESET, self.OPTR: self._layout.options}
        self._stores = []
        self._busy_for_good = False
        self._begun = None
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
            page = value >> 3 & self.PAGES
            first = half if value & self.BKER else 0
            erased = page < half and self._erase(first + page, first + page)
        return erased

    def program(self, offset: int, data: bytes) -> None:
        """Keeps the words of a unit, and programs them all with the last."""
        if self._lock.locked or not self.words.get(self.CR, 0) & self.PG:
            self._status |= self.SEQUENCE
        elif len(data) != 4:
            self._status |= self.SIZE
        else:
            start, before = self._begun or (offset, b"")
            self._begun = None
            if offset != start + len(before) or start % self.UNIT:
                self._status |= self.ALIGNMENT
            elif len(before) + 4 < self.UNIT:
                self._begun = (start, before + data)
            else:
                self._program_unit(start, before + data)

    def _program_unit(self, start: int, data: bytes) -> None:
        if any(byte != 0xFF for byte in self._array.store[start : start + self.UNIT]) and any(data):
            self._status |= self.WRITTEN
        else:
            self._status |= self.DONE if self._write(start, data) else self.PROTECTED


class G0Flash(L4Flash):
    """The controller of G0 with two banks: the same, with more pages to a bank."""

    ACR_RESET = 0x0004_0600
    BKER = 1 << 13
    PAGES = 0x3FF


class U5Flash(L4Flash):
    """The controller of U5 by its registers that are not secure: programmed by four words in turn."""

    OPTKEYR, SR, CR, OPTR = 0x10, 0x20, 0x28, 0x40
    ACR_RESET = 0
    UNIT = 16
