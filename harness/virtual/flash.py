"""Flash controllers: keys, erasing, programming, and the errors of doing it wrong.

The emulator lets a store to flash through before it can be judged: the store is reported, `settle` takes it back and
then does what the controller would have done with it. It is called whenever the controller is asked for anything, and
whenever the core stops.
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
    """What goes wrong in the flash, for tests; offsets are from its start.

    Attributes:
        protect: an erase or write of the sector with this offset ends in WRPERR.
        corrupt: the byte at this offset is programmed with a bit wrong, without an error.
        hang: the controller stays busy after its first operation, for ever.
    """

    protect: int | None = None
    corrupt: int | None = None
    hang: bool = False


class _Keys:
    """A lock that opens by two keys in order, and after a wrong one not before the next reset."""

    def __init__(self, keys: tuple[int, int]) -> None:
        self._keys = keys
        self.reset()

    def reset(self) -> None:
        self.locked = True
        self._given = 0
        self._jammed = False

    def key(self, value: int) -> None:
        if not self.locked or self._jammed:
            return
        if value != self._keys[self._given]:
            self._jammed = True
            return
        self._given += 1
        if self._given == len(self._keys):
            self.locked = False

    def close(self) -> None:
        if not self.locked:
            self.reset()


class FlashController(Device):
    """What all controllers share: the array, its sectors, and how a store gets there."""

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
        """The core is about to store into the flash."""
        offset = address - self._array.origin
        new = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        self._stores.append((offset, new, bytes(self._array.store[offset : offset + size])))

    def settle(self) -> None:
        """Do with all stores what the controller does with them."""
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
        """A store of data at an offset in the array."""

    def _erase(self, first: int, last: int) -> bool:
        """Erase sectors; False when one is protected."""
        start, end = self._starts[first], self._starts[last + 1]
        if self._is_protected(start, end):
            return False
        self._array.store[start:end] = b"\xff" * (end - start)
        self.erased += end - start
        self._hang()
        self._changed()
        return True

    def _write(self, offset: int, data: bytes) -> bool:
        """Clear bits; False when the sector is protected."""
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


class _H7Bank:
    """Registers of one bank of the H7's controller."""

    KEYR, CR, SR, CCR = 0x04, 0x0C, 0x10, 0x14
    LOCK, PG, SER, BER, FW, START = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 6, 1 << 7
    BUSY, WAITING, QUEUED, DONE = 1 << 0, 1 << 1, 1 << 2, 1 << 16
    PROTECTED, SEQUENCE, INCONSISTENT = 1 << 17, 1 << 18, 1 << 21

    def __init__(self) -> None:
        self.lock = _Keys(KEYS)
        self.reset()

    def reset(self) -> None:
        self.lock.reset()
        self.control = 0x30  # PSIZE
        self.status = 0
        self.word: tuple[int, bytearray, set[int]] | None = None


class H7Flash(FlashController):
    """Two banks; flash words of 256 bits, programmed when all of one has been stored."""

    WORD = 32

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        self._banks = (_H7Bank(), _H7Bank())
        super().__init__(layout, array, changed)
        self._options = _Keys(OPTION_KEYS)
        self.reset()

    def reset(self) -> None:
        """Back to locked."""
        self.words = {0x00: 0x37, 0x1C: self._layout.options, 0x20: self._layout.options, 0x38: 0xFF, 0x3C: 0xFF}
        self._stores = []
        self._busy_for_good = False
        self._options.reset()
        for bank in self._banks:
            bank.reset()

    def _bank(self, offset: int) -> tuple[int, int]:
        """Number of the bank, and the offset in it; the second bank's registers lie 0x100 up."""
        return (1, offset - 0x100) if offset >= 0x100 else (0, offset)

    def read(self, offset: int, debugger: bool) -> int:
        """A register."""
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
        """A register."""
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
            sector = number * half + (value >> 8 & 7)
            whole = (number * half, number * half + half - 1)
            erased = self._erase(*whole) if value & bank.BER else self._sector(sector) and self._erase(sector, sector)
            bank.status |= bank.DONE if erased else bank.PROTECTED
        if value & bank.LOCK:
            bank.lock.close()

    def program(self, offset: int, data: bytes) -> None:
        """Gather a flash word."""
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


class F7Flash(FlashController):
    """The controller of F4 and F7: one bank, stores are programmed one by one."""

    ACR, KEYR, OPTKEYR, SR, CR, OPTCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
    PG, SER, MER, START, LOCK = 1 << 0, 1 << 1, 1 << 2, 1 << 16, 1 << 31
    DONE, PROTECTED, ALIGNMENT, SEQUENCE, BUSY = 1 << 0, 1 << 4, 1 << 5, 1 << 7, 1 << 16

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self._lock, self._options = _Keys(KEYS), _Keys(OPTION_KEYS)
        self.reset()

    def reset(self) -> None:
        """Back to locked."""
        self.words = {self.OPTCR: self._layout.options}
        self._stores = []
        self._busy_for_good = False
        self._status = 0
        self._lock.reset()
        self._options.reset()

    def read(self, offset: int, debugger: bool) -> int:
        """A register."""
        self.settle()
        if offset == self.SR:
            return self._status | (self.BUSY if self._busy_for_good else 0)
        if offset == self.CR:
            return self.words.get(self.CR, 0) | (self.LOCK if self._lock.locked else 0)
        if offset == self.OPTCR:
            return self.words[self.OPTCR] & ~1 | int(self._options.locked)
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """A register."""
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
        """Program a store of the width that PSIZE says."""
        control = self.words.get(self.CR, 0)
        if self._lock.locked or not control & self.PG:
            self._status |= self.SEQUENCE
        elif len(data) > 1 << (control >> 8 & 3) or offset % len(data):
            self._status |= self.ALIGNMENT
        else:
            self._status |= self.DONE if self._write(offset, data) else self.PROTECTED


class L4Flash(FlashController):
    """The controller of L4: pages, programmed by two words in turn."""

    ACR, KEYR, OPTKEYR, SR, CR, OPTR = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x20
    PG, PER, MER1, BKER, MER2 = 1 << 0, 1 << 1, 1 << 2, 1 << 11, 1 << 15
    START, OPTLOCK, LOCK = 1 << 16, 1 << 30, 1 << 31
    DONE, WRITTEN, PROTECTED, ALIGNMENT, SIZE, SEQUENCE, BUSY = 1 << 0, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 16
    DOUBLE = 8

    def __init__(self, layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> None:
        super().__init__(layout, array, changed)
        self._lock, self._options = _Keys(KEYS), _Keys(OPTION_KEYS)
        self._first: tuple[int, bytes] | None = None
        self.reset()

    def reset(self) -> None:
        """Back to locked."""
        self.words = {self.ACR: 0x600, self.OPTR: self._layout.options}
        self._stores = []
        self._busy_for_good = False
        self._first = None
        self._status = 0
        self._lock.reset()
        self._options.reset()

    def read(self, offset: int, debugger: bool) -> int:
        """A register."""
        self.settle()
        if offset == self.SR:
            return self._status | (self.BUSY if self._busy_for_good else 0)
        if offset == self.CR:
            locks = (self.LOCK if self._lock.locked else 0) | (self.OPTLOCK if self._options.locked else 0)
            return self.words.get(self.CR, 0) | locks
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """A register."""
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
        """The first word of a pair waits for the second."""
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


_CONTROLLERS: dict[str, type[FlashController]] = {"h7": H7Flash, "f7": F7Flash, "l4": L4Flash}


def make_flash(layout: FlashLayout, array: Bytes, changed: Callable[[], None]) -> FlashController:
    """The controller that a layout names."""
    return _CONTROLLERS[layout.controller](layout, array, changed)
