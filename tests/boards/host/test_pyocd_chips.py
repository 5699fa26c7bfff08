"""Families of chips that pyOCD flashes: error flags, reset causes and registers, against the virtual chips."""

from harness.boards import load_boards
from harness.boards.backends.pyocd.chips import WRITE_PROTECTED, family_of
from harness.virtual.chips import find_chip


def test_every_board_that_pyocd_flashes_is_of_a_known_family():
    boards = [board for board in load_boards().values() if board.backend == "pyocd"]
    assert boards
    for board in boards:
        family = family_of(board.target)
        assert family is not None and (WRITE_PROTECTED in family.flash_errors or not family.flash_status)
        assert board.target.startswith(family.prefixes)
        chip = find_chip(board.chip)
        block, offset, _ = chip.reset_cause
        assert family.reset_status == next(r.base for r in chip.registers if r.name == block) + offset
        assert all(chip.flash.base < status < chip.flash.base + 0x400 for status in family.flash_status)
    assert family_of("stm32h7b0xx") is family_of("stm32h7a3zitxq")
    assert family_of("stm32h7a3zitxq").reset_status != family_of("stm32h743xx").reset_status
    assert family_of("nrf52840").flags(0xFFFF_FFFF) == () and family_of("lpc55s69") is None


def test_flags_and_causes_are_read_by_name():
    family = family_of("stm32h743xx")
    assert family.flags(1 << 17 | 1 << 18) == ("WRPERR", "PGSERR")
    assert family.flags(0) == ()
    assert family.causes(1 << 21 | 1 << 22) == ("brown-out", "reset pin")
    assert family_of("stm32l475xg").causes(1 << 27) == ("brown-out",)
    assert family_of("stm32g0b1retx").flags(1 << 4) == family_of("stm32u575zitxq").flags(1 << 4) == ("WRPERR",)
    assert family_of("nrf52840").causes(1 << 2) == ("software",)
    assert family_of("stm32f446retx").causes(1 << 25) == ("brown-out",)
