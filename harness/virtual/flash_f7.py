"""The flash controller of F4 and F7 (RM0385 chapter 3): one bank, stores are programmed one by one."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout
from harness.virtual.flash import KEYS, OPTION_KEYS, FlashController, Keys
from harness.virtual.memory import Bytes


class F7Flash(FlashController):
    """The controller of F4 and F7: one bank, stores are programmed one by one."""

    ACR, KEYR, OPTKEYR, SR, CR, OPTCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
    PG, SER, MER, START, LOCK = 1 << 0, 1 << 1, 1 << 2, 1 << 16, 1 << 31
    DONE, PROTECTED, ALIGNMENT, SEQUENCE, BUSY = 1 << 0, 1 << 4, 1 << 5, 1 << 7, 1 << 16

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self._lock, self._options = Keys(KEYS), Keys(OPTION_KEYS)
        self.reset()

    def reset(self) -> None:
        """Locks, and sets the registers to their values after reset."""
        self.words = {self.OPTCR: self._layout.options}
        self._stores = []
        self._busy_for_good = False
        self._status = 0
        self._lock.reset()
        self._options.reset()

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        self.settle()
        if offset == self.SR:
            return self._status | (self.BUSY if self._busy_for_good else 0)
        if offset == self.CR:
            return self.words.get(self.CR, 0) | (self.LOCK if self._lock.locked else 0)
        if offset == self.OPTCR:
            return self.words[self.OPTCR] & ~1 | int(self._options.locked)
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        self.settle()
        if offset == self.KEYR:
            self._lock.key(value)
        elif offset == self.OPTKEYR:
            self._options.key(value)
        elif offset == self.SR:
            self._status &= ~value
        elif offset == self.OPTCR:
            if not self._options.locked:
                self.words[self.OPTCR] = value & ~3
                if value & 1:
                    self._options.close()
        elif offset == self.CR:
            self._control(value)
        else:
            self.words[offset] = value

    def _control(self, value: int) -> None:
        if self._lock.locked:
            return
        self.words[self.CR] = value & ~(self.START | self.LOCK)
        if value & self.START:
            sector = value >> 3 & 0x1F
            if value & self.MER:
                erased = self._erase(0, len(self._layout.sectors) - 1)
            else:
                erased = bool(value & self.SER) and self._sector(sector) and self._erase(sector, sector)
            self._status |= self.DONE if erased else self.PROTECTED
        if value & self.LOCK:
            self._lock.close()

    def program(self, offset: int, data: bytes) -> None:
        """Programs a store of the width of PSIZE."""
        control = self.words.get(self.CR, 0)
        if self._lock.locked or not control & self.PG:
            self._status |= self.SEQUENCE
        elif len(data) > 1 << (control >> 8 & 3) or offset % len(data):
            self._status |= self.ALIGNMENT
        else:
            self._status |= self.DONE if self._write(offset, data) else self.PROTECTED
