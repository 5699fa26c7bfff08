"""Registers by chip family that pyOCD does not know: errors of the flash controller, and causes of resets.

Addresses and bits are from the reference manuals named beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Registers of one chip family.

    Attributes:
        prefixes: of pyOCD's names of its chips.
        flash_status: addresses of the flash status registers, one per bank.
        flash_errors: error flag -> its bit there.
        reset_status: address of the register with the causes of the last resets.
        reset_causes: cause -> its bit.
    """

    prefixes: tuple[str, ...]
    flash_status: tuple[int, ...]
    flash_errors: Mapping[str, int]
    reset_status: int
    reset_causes: Mapping[str, int]

    def flags(self, value: int) -> tuple[str, ...]:
        """The flash errors in a value of a status register."""
        return tuple(name for name, bit in self.flash_errors.items() if value >> bit & 1)

    def causes(self, value: int) -> tuple[str, ...]:
        """The causes of reset in a value of the reset status register."""
        return tuple(name for name, bit in self.reset_causes.items() if value >> bit & 1)


WRITE_PROTECTED = "WRPERR"

_RCC_CSR = {
    "brown-out": 25, "reset pin": 26, "power": 27, "software": 28, "independent watchdog": 29, "window watchdog": 30,
    "low power": 31,
}  # fmt: skip

_L4_FLASH_ERRORS = {
    "OPERR": 1, "PROGERR": 3, "WRPERR": 4, "PGAERR": 5, "SIZERR": 6, "PGSERR": 7, "MISERR": 8, "FASTERR": 9,
}  # fmt: skip
_L4_RESETS = {
    "option bytes": 25, "reset pin": 26, "brown-out": 27, "software": 28, "independent watchdog": 29,
    "window watchdog": 30, "low power": 31,
}  # fmt: skip

_H7_FLASH_ERRORS = {
    "WRPERR": 17, "PGSERR": 18, "STRBERR": 19, "INCERR": 21, "OPERR": 22, "RDPERR": 23, "RDSERR": 24,
}  # fmt: skip
_H7_RESETS = {
    "brown-out": 21, "reset pin": 22, "power": 23, "software": 24, "independent watchdog": 26, "window watchdog": 28,
    "low power": 30,
}  # fmt: skip

# The first family with a matching prefix is taken.
FAMILIES = (
    Family(  # RM0455: FLASH_SR1, FLASH_SR2; RCC_RSR
        prefixes=("stm32h7a", "stm32h7b"),
        flash_status=(0x5200_2010, 0x5200_2110),
        flash_errors={name: bit for name, bit in _H7_FLASH_ERRORS.items() if name != "OPERR"},
        reset_status=0x5802_4530,
        reset_causes=_H7_RESETS,
    ),
    Family(  # RM0433: FLASH_SR1, FLASH_SR2; RCC_RSR
        prefixes=("stm32h7",),
        flash_status=(0x5200_2010, 0x5200_2110),
        flash_errors=_H7_FLASH_ERRORS,
        reset_status=0x5802_44D0,
        reset_causes=_H7_RESETS,
    ),
    Family(  # RM0385: FLASH_SR; RCC_CSR
        prefixes=("stm32f7",),
        flash_status=(0x4002_3C0C,),
        flash_errors={"OPERR": 1, "WRPERR": 4, "PGAERR": 5, "PGPERR": 6, "ERSERR": 7},
        reset_status=0x4002_3874,
        reset_causes=_RCC_CSR,
    ),
    Family(  # RM0390: FLASH_SR; RCC_CSR
        prefixes=("stm32f4",),
        flash_status=(0x4002_3C0C,),
        flash_errors={"OPERR": 1, "WRPERR": 4, "PGAERR": 5, "PGPERR": 6, "PGSERR": 7},
        reset_status=0x4002_3874,
        reset_causes=_RCC_CSR,
    ),
    Family(  # RM0351, RM0432: FLASH_SR; RCC_CSR
        prefixes=("stm32l4",),
        flash_status=(0x4002_2010,),
        flash_errors=_L4_FLASH_ERRORS,
        reset_status=0x4002_1094,
        reset_causes=_L4_RESETS,
    ),
    Family(  # RM0444: FLASH_SR; RCC_CSR2, where "brown-out" is power, too
        prefixes=("stm32g0",),
        flash_status=(0x4002_2010,),
        flash_errors=_L4_FLASH_ERRORS,
        reset_status=0x4002_1060,
        reset_causes=_L4_RESETS,
    ),
    Family(  # RM0456: FLASH_NSSR; RCC_CSR
        prefixes=("stm32u5",),
        flash_status=(0x4002_2020,),
        flash_errors={name: bit for name, bit in _L4_FLASH_ERRORS.items() if bit < 8},
        reset_status=0x4602_0CF4,
        reset_causes=_L4_RESETS,
    ),
    Family(  # nRF52 product specifications: NVMC tells no errors; POWER RESETREAS
        prefixes=("nrf52",),
        flash_status=(),
        flash_errors={},
        reset_status=0x4000_0400,
        reset_causes={"reset pin": 0, "watchdog": 1, "software": 2, "lock-up": 3},
    ),
)


def family_of(target: str) -> Family | None:
    """The family of one of pyOCD's targets; None where it is not known."""
    return next((family for family in FAMILIES if target.lower().startswith(family.prefixes)), None)
