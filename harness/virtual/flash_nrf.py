"""The flash controller of nRF52 (product specification, chapter NVMC): pages, programmed by words, no error flags."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout
from harness.virtual.flash import FlashController
from harness.virtual.memory import Bytes

_READY, _READYNEXT, _CONFIG, _ERASEPAGE, _ERASEALL = 0x400, 0x408, 0x504, 0x508, 0x50C
_MODE, _WRITE, _ERASE = 3, 1, 2


class NrfFlash(FlashController):
    """The controller. What is not allowed is not done, and nothing tells."""

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self.size = 0x1000
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after reset."""
        self.words = {}
        self._stores = []
        self._busy_for_good = False

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        self.settle()
        if offset in (_READY, _READYNEXT):
            return int(not self._busy_for_good)
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        self.settle()
        if offset == _ERASEPAGE:
            self._erase_page(value)
        elif offset == _ERASEALL:
            if value & 1 and self.words.get(_CONFIG, 0) & _MODE == _ERASE:
                self._erase(0, len(self._layout.sectors) - 1)
        else:
            self.words[offset] = value

    def _erase_page(self, address: int) -> None:
        offset = address - self._array.origin
        if self.words.get(_CONFIG, 0) & _MODE != _ERASE or offset not in self._starts[:-1]:
            return
        page = self._starts.index(offset)
        self._erase(page, page)

    def program(self, offset: int, data: bytes) -> None:
        """Programs a word."""
        if self.words.get(_CONFIG, 0) & _MODE == _WRITE and len(data) == 4:
            self._write(offset, data)
