"""The flash controllers of H743 and H7A3 (RM0433, RM0455): two banks, each with registers of its own."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.chip import FlashLayout, bits
from harness.virtual.flash import KEYS, OPTION_KEYS, FlashController, Keys
from harness.virtual.memory import Bytes


class _H7Bank:
    """Registers of one bank of the H743's controller."""

    KEYR, CR, SR, CCR = 0x04, 0x0C, 0x10, 0x14
    LOCK, PG, SER, BER, FW, START = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 6, 1 << 7
    SECTOR_AT, SECTOR_BITS = 8, 3
    AFTER_RESET = 0x30  # PSIZE
    BUSY, WAITING, QUEUED, DONE = 1 << 0, 1 << 1, 1 << 2, 1 << 16
    PROTECTED, SEQUENCE, INCONSISTENT = 1 << 17, 1 << 18, 1 << 21

    def __init__(self) -> None:
        self.lock = Keys(KEYS)
        self.reset()

    def reset(self) -> None:
        self.lock.reset()
        self.control = self.AFTER_RESET
        self.status = 0
        self.word: tuple[int, bytearray, set[int]] | None = None


class _H7ABank(_H7Bank):
    """The same of the H7A3's."""

    FW, START = 1 << 4, 1 << 5
    SECTOR_AT, SECTOR_BITS = 6, 7
    AFTER_RESET = 0


class H7Flash(FlashController):
    """Two banks; flash words of 256 bits, programmed when all of one has been stored."""

    WORD = 32
    BANK = _H7Bank

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        self._banks = (self.BANK(), self.BANK())
        super().__init__(layout, array, changed)
        self._options = Keys(OPTION_KEYS)
        self.reset()

    def reset(self) -> None:
        """Locks, and sets the registers to their values after reset."""
        self.words = {0x00: 0x37, 0x1C: self._layout.options, 0x20: self._layout.options, 0x38: 0xFF, 0x3C: 0xFF}
        self._stores = []
        self._busy_for_good = False
        self._options.reset()
        for bank in self._banks:
            bank.reset()

    def _bank(self, offset: int) -> tuple[int, int]:
        """(number of the bank, offset in it); the second bank's registers are 0x100 higher."""
        return (1, offset - 0x100) if offset >= 0x100 else (0, offset)

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        self.settle()
        number, at = self._bank(offset)
        bank = self._banks[number]
        if at == bank.CR:
            return bank.control | (bank.LOCK if bank.lock.locked else 0)
        if at == bank.SR:
            busy = bank.BUSY | bank.QUEUED if self._busy_for_good else 0
            return bank.status | busy | (bank.WAITING if bank.word else 0)
        if at == 0x18:
            return int(self._options.locked)
        return self.words.get(at if at in (0x00, 0x1C, 0x20) else offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        self.settle()
        number, at = self._bank(offset)
        bank = self._banks[number]
        if at == bank.KEYR:
            bank.lock.key(value)
        elif at == bank.CCR:
            bank.status &= ~value
        elif at == bank.CR:
            self._control(number, bank, value)
        elif at == 0x08:
            self._options.key(value)
        elif at == 0x18:
            if value & 1:
                self._options.close()
        elif at == 0x00:
            self.words[0] = value
        elif offset == 0x20 and not self._options.locked:
            self.words[0x20] = value

    def _control(self, number: int, bank: _H7Bank, value: int) -> None:
        if bank.lock.locked:
            return
        bank.control = value & ~(bank.LOCK | bank.START | bank.FW)
        if value & bank.FW and bank.word:
            self._flash_word(bank)
        if value & bank.START and value & (bank.SER | bank.BER):
            half = len(self._layout.sectors) // 2
            sector = number * half + bits(value, bank.SECTOR_AT, bank.SECTOR_BITS)
            whole = (number * half, number * half + half - 1)
            erased = self._erase(*whole) if value & bank.BER else self._sector(sector) and self._erase(sector, sector)
            bank.status |= bank.DONE if erased else bank.PROTECTED
        if value & bank.LOCK:
            bank.lock.close()

    def program(self, offset: int, data: bytes) -> None:
        """Collects a flash word, and programs it when it is complete."""
        bank = self._banks[offset >= self._array.size // 2]
        if bank.lock.locked or not bank.control & bank.PG:
            bank.status |= bank.SEQUENCE
            return
        start = offset - offset % self.WORD
        if bank.word and bank.word[0] != start:
            bank.status |= bank.INCONSISTENT
            return
        if bank.word is None:
            bank.word = (start, bytearray(b"\xff" * self.WORD), set())
        _, content, given = bank.word
        content[offset - start : offset - start + len(data)] = data
        given.update(range(offset - start, offset - start + len(data)))
        if len(given) == self.WORD:
            self._flash_word(bank)

    def _flash_word(self, bank: _H7Bank) -> None:
        assert bank.word is not None
        start, content, _ = bank.word
        bank.word = None
        bank.status |= bank.DONE if self._write(start, bytes(content)) else bank.PROTECTED


class H7AFlash(H7Flash):
    """The controller of the H7A3: sectors of 8 KiB, flash words of 128 bits."""

    WORD = 16
    BANK = _H7ABank
