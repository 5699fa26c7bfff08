"""Chips that can be emulated: one file per family."""

from __future__ import annotations

from harness.errors import BoardError
from harness.virtual.chip import Chip
from harness.virtual.chips import nrf52840, stm32f4, stm32f7, stm32g0, stm32h7, stm32l4, stm32u5

_FAMILIES = (stm32f4, stm32f7, stm32g0, stm32h7, stm32l4, stm32u5, nrf52840)


def find_chip(name: str) -> Chip:
    """The chip of a name, or of an order code that begins with it.

    Raises:
        BoardError: there is none.
    """
    known: list[Chip] = [chip for family in _FAMILIES for chip in family.CHIPS]
    for chip in known:
        if name.lower().startswith(chip.name):
            return chip
    raise BoardError(f"the virtual board has no chip {name}", hint="it has: " + ", ".join(chip.name for chip in known))
