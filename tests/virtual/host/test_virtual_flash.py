"""The virtual board's flash controllers: what the reference manuals say of keys, erasing, programming and errors."""

import pytest

from harness.virtual.chips import find_chip
from harness.virtual.flash import KEYS, OPTION_KEYS
from harness.virtual.flashes import make_flash
from harness.virtual.memory import anonymous

ORIGIN = 0x0800_0000


class Flash:
    """A controller with its registers by name; `bank` counts for the H7."""

    def __init__(self, chip):
        facts = find_chip(chip).flash
        self.sectors = facts.sectors
        self.array = anonymous("flash", ORIGIN, sum(facts.sectors), "flash")
        self.array.store[:] = b"\xff" * self.array.size
        self.changes = 0
        self.controller = make_flash(facts, self.array, self._changed)
        self.names = {
            "h7": {"KEYR": 0x04, "CR": 0x0C, "SR": 0x10, "CCR": 0x14},
            "h7a": {"KEYR": 0x04, "CR": 0x0C, "SR": 0x10, "CCR": 0x14},
            "f7": {"KEYR": 0x04, "SR": 0x0C, "CR": 0x10, "OPTCR": 0x14, "OPTKEYR": 0x08},
            "l4": {"KEYR": 0x08, "SR": 0x10, "CR": 0x14},
            "g0": {"KEYR": 0x08, "SR": 0x10, "CR": 0x14},
            "u5": {"KEYR": 0x08, "SR": 0x20, "CR": 0x28},
        }[facts.controller]
        self.lock = 1 if facts.controller in ("h7", "h7a") else 1 << 31

    def _changed(self):
        self.changes += 1

    def get(self, name, bank=0):
        return self.controller.read(self.names[name] + 0x100 * bank, False)

    def put(self, name, value, bank=0):
        self.controller.write(self.names[name] + 0x100 * bank, value, False)

    def unlock(self, bank=0):
        for key in KEYS:
            self.put("KEYR", key, bank)

    def store(self, offset, data, unit=4):
        """As the core does: the bytes are there before the controller has judged."""
        for at in range(0, len(data), unit):
            part = data[at : at + unit]
            self.controller.store(ORIGIN + offset + at, unit, int.from_bytes(part, "little"))
            self.array.store[offset + at : offset + at + unit] = part

    def content(self, offset, size):
        self.controller.settle()
        return self.array.store[offset : offset + size]


CHIPS = ["stm32h743", "stm32h7a3", "stm32f446", "stm32f746", "stm32f767", "stm32l476", "stm32l4r5"]
CHIPS += ["stm32g0b1", "stm32u575"]


@pytest.mark.parametrize("chip", CHIPS)
def test_a_locked_flash_takes_nothing(chip):
    flash = Flash(chip)
    assert flash.get("CR") & flash.lock
    flash.put("CR", 0xFFFF)
    flash.store(0, bytes(32))
    assert flash.content(0, 32) == b"\xff" * 32
    assert flash.get("SR") != 0, "an error must be told"


@pytest.mark.parametrize("chip", CHIPS)
def test_a_wrong_key_locks_until_the_next_reset(chip):
    flash = Flash(chip)
    flash.put("KEYR", KEYS[0])
    flash.put("KEYR", 0)
    flash.unlock()
    assert flash.get("CR") & flash.lock
    flash.controller.reset()
    flash.unlock()
    assert not flash.get("CR") & flash.lock
    flash.put("CR", flash.lock)
    assert flash.get("CR") & flash.lock


def test_h7_programs_whole_flash_words_of_each_bank():
    flash = Flash("stm32h743")
    word = bytes(range(1, 33))
    for bank, offset in ((0, 0), (1, 0x10_0000)):
        flash.unlock(bank)
        flash.put("CR", 2, bank)
        flash.store(offset, word[:16])
        assert flash.content(offset, 32) == b"\xff" * 32 and flash.get("SR", bank) & 2, "half a word waits"
        flash.store(offset + 16, word[16:])
        assert flash.content(offset, 32) == word
        assert flash.get("SR", bank) == 1 << 16
        flash.put("CCR", 1 << 16, bank)
        assert flash.get("SR", bank) == 0


def test_h7_refuses_a_flash_word_begun_in_another():
    flash = Flash("stm32h743")
    flash.unlock()
    flash.put("CR", 2)
    flash.store(0, bytes(4))
    flash.store(64, bytes(4))
    assert flash.get("SR") & 1 << 21 and flash.content(64, 4) == b"\xff" * 4


def test_h7_forces_a_part_of_a_word_and_erases_a_sector():
    flash = Flash("stm32h743")
    flash.unlock()
    flash.put("CR", 2)
    flash.store(0x2_0000, b"\x12\x34\x56\x78")
    flash.put("CR", 2 | 1 << 6)
    assert flash.content(0x2_0000, 8) == b"\x12\x34\x56\x78\xff\xff\xff\xff"
    flash.put("CR", 1 << 2 | 1 << 7)  # sector 0: not this one
    assert flash.content(0x2_0000, 2) == b"\x12\x34"
    flash.put("CR", 1 << 2 | 1 << 8 | 1 << 7)
    assert flash.content(0x2_0000, 4) == b"\xff" * 4
    assert flash.controller.erased == 2 * 0x2_0000


def test_h7a3_has_shorter_flash_words_and_small_sectors():
    flash = Flash("stm32h7a3")
    assert len(flash.sectors) == 256 and sum(flash.sectors) == 0x20_0000
    word = bytes(range(1, 17))
    for bank, offset in ((0, 5 * 0x2000), (1, 0x10_0000 + 127 * 0x2000)):
        flash.unlock(bank)
        flash.put("CR", 2, bank)
        flash.store(offset, word[:12])
        assert flash.content(offset, 16) == b"\xff" * 16 and flash.get("SR", bank) & 2, "a part of a word waits"
        flash.store(offset + 12, word[12:])
        assert flash.content(offset, 16) == word and flash.get("SR", bank) == 1 << 16
        flash.put("CR", 2, bank)
        flash.store(offset + 16, b"\x12\x34\x56\x78")
        flash.put("CR", 2 | 1 << 4, bank)  # FW
        assert flash.content(offset + 16, 5) == b"\x12\x34\x56\x78\xff"
        sector = offset % 0x10_0000 // 0x2000
        flash.put("CR", 1 << 2 | (sector ^ 1) << 6 | 1 << 5, bank)
        assert flash.content(offset, 16) == word, "another sector was erased"
        flash.put("CR", 1 << 2 | sector << 6 | 1 << 5, bank)
        assert flash.content(offset, 16) == b"\xff" * 16


def test_bits_are_only_cleared_by_programming():
    flash = Flash("stm32f746")
    flash.unlock()
    flash.put("CR", 1 | 2 << 8)
    flash.store(0, b"\xf0\xff\xff\xff")
    flash.store(0, b"\x3c\xff\xff\xff")
    assert flash.content(0, 1) == b"\x30"


def test_f7_sectors_lie_as_the_manual_says_and_widths_count():
    flash = Flash("stm32f746")
    assert sum(flash.sectors) == 0x10_0000
    flash.unlock()
    flash.put("CR", 1)  # PSIZE: bytes
    flash.store(0x4_0000, bytes(4))
    assert flash.content(0x4_0000, 4) == b"\xff" * 4 and flash.get("SR") & 1 << 5
    flash.put("CR", 1 | 2 << 8)
    flash.store(0x4_0000, bytes(4))
    flash.store(0x3_FFFC, bytes(4))
    flash.put("CR", 2 | 5 << 3 | 1 << 16)  # sector 5: 256 KiB from 0x40000
    assert flash.content(0x4_0000, 4) == b"\xff" * 4
    assert flash.content(0x3_FFFC, 4) == bytes(4)


def test_f7_option_bytes_have_a_lock_of_their_own():
    flash = Flash("stm32f767")
    assert flash.get("OPTCR") & 1
    for key in OPTION_KEYS:
        flash.put("OPTKEYR", key)
    assert not flash.get("OPTCR") & 1
    assert flash.get("OPTCR") & 1 << 29, "one bank: nDBANK"


@pytest.mark.parametrize(
    ("chip", "page", "unit", "bank"),
    [
        ("stm32l476", 0x800, 8, 1 << 11),
        ("stm32l4r5", 0x1000, 8, 1 << 11),
        ("stm32g0b1", 0x800, 8, 1 << 13),
        ("stm32u575", 0x2000, 16, 1 << 11),
    ],
)
def test_l4_g0_and_u5_program_words_in_turn_and_erase_pages_of_both_banks(chip, page, unit, bank):
    flash = Flash(chip)
    flash.unlock()
    flash.put("CR", 1)
    second = sum(flash.sectors) // 2 + 3 * page
    written = bytes(range(1, unit + 1))
    for offset in (3 * page, second):
        flash.store(offset, written[:-4])
        assert flash.content(offset, unit) == b"\xff" * unit, "the first words wait"
        flash.store(offset + unit - 4, written[-4:])
        assert flash.content(offset, unit) == written
    flash.put("SR", 0xFFFF)
    flash.store(3 * page, bytes(range(11, 11 + unit)))
    assert flash.get("SR") & 1 << 3 and flash.content(3 * page, unit) == written, "written already"
    flash.put("SR", 0xFFFF)
    flash.store(4 * page + 4, bytes(4))
    assert flash.get("SR") & 1 << 5, "a unit begins at a multiple of its size"
    flash.put("CR", 1 << 1 | bank | 3 << 3 | 1 << 16)
    assert flash.content(second, unit) == b"\xff" * unit and flash.content(3 * page, unit) == written
    flash.put("CR", 1 << 1 | 3 << 3 | 1 << 16)
    assert flash.content(3 * page, unit) == b"\xff" * unit


def test_the_nrf_programs_words_and_erases_pages_as_its_mode_allows_and_tells_nothing():
    facts = find_chip("nrf52840").flash
    array = anonymous("flash", 0, sum(facts.sectors), "flash")
    array.store[:] = b"\xff" * array.size
    controller = make_flash(facts, array, lambda: None)

    def store(offset, value, size=4):
        controller.store(offset, size, value)
        array.store[offset : offset + size] = value.to_bytes(size, "little")
        controller.settle()
        return int.from_bytes(array.store[offset : offset + size], "little")

    assert controller.read(0x400, False) == 1
    assert store(0x1000, 0x1234_5678) == 0xFFFF_FFFF, "read only after reset"
    controller.write(0x504, 1, False)
    assert store(0x1000, 0x1234_5678) == 0x1234_5678
    assert store(0x1000, 0xFFFF_0000) == 0x1234_0000, "bits are only cleared"
    assert store(0x1008, 0x12, size=1) == 0xFF, "whole words only"
    controller.write(0x508, 0x1000, False)
    assert array.store[0x1000:0x1004] == bytes.fromhex("00003412"), "erasing needs its own mode"
    controller.write(0x504, 2, False)
    controller.write(0x508, 0x1004, False)
    assert array.store[0x1000:0x1004] != b"\xff" * 4, "no address of a page"
    controller.write(0x508, 0x1000, False)
    assert array.store[0x1000:0x1004] == b"\xff" * 4
    array.store[0x8000] = 0
    controller.write(0x50C, 1, False)
    assert array.store[0x8000] == 0xFF
    controller.faults.hang = True
    controller.write(0x508, 0x1000, False)
    assert controller.read(0x400, False) == 0 and controller.erased == array.size + 2 * 0x1000


@pytest.mark.parametrize(
    ("chip", "start", "program", "size", "error"),
    [
        ("stm32h743", 1 << 2 | 1 << 7, 2, 32, 1 << 17),
        ("stm32f746", 2 | 1 << 16, 1 | 2 << 8, 4, 1 << 4),
        ("stm32l476", 1 << 1 | 1 << 16, 1, 8, 1 << 4),
        ("stm32g0b1", 1 << 1 | 1 << 16, 1, 8, 1 << 4),
        ("stm32u575", 1 << 1 | 1 << 16, 1, 16, 1 << 4),
    ],
)
def test_a_protected_sector_is_neither_erased_nor_programmed(chip, start, program, size, error):
    flash = Flash(chip)
    flash.array.store[0:4] = bytes(4)
    flash.controller.faults.protect = 0x10
    flash.unlock()
    flash.put("CR", start)
    assert flash.get("SR") & error and flash.array.store[0:4] == bytes(4)
    flash.put("CCR" if chip == "stm32h743" else "SR", error)
    flash.put("CR", program)
    flash.store(0x40, bytes(size))
    assert flash.get("SR") & error and flash.content(0x40, size) == b"\xff" * size
    last = sum(flash.sectors) - 64
    flash.unlock(1) if chip == "stm32h743" else None
    if chip == "stm32h743":
        flash.put("CR", program, 1)
    flash.store(last, bytes(size))
    assert flash.content(last, size) == bytes(size), "another sector is not protected"


def test_silent_corruption_and_a_controller_that_hangs():
    flash = Flash("stm32h743")
    flash.unlock()
    flash.put("CR", 2)
    flash.controller.faults.corrupt = 5
    flash.store(0, bytes(32))
    assert flash.content(0, 8) == b"\0\0\0\0\0\1\0\0"
    assert flash.get("SR") == 1 << 16, "it says that all is well"
    flash.controller.faults.hang = True
    flash.store(32, bytes(32))
    assert flash.get("SR") & 5 == 5
    flash.controller.reset()
    assert flash.get("SR") == 0
