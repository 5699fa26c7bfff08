"""Families of chips: the form of their pins' names, and the word that identifies a chip.

The prefix of a chip's name decides its family. A chip of no family here can be in boards.yaml, too: its pins are not
checked then, and its identity word is compared under the `mask` that its entry gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEVICE_MASK = 0xFFF
"""The bits of an identity word that are compared where `idcode` gives no mask: DEV_ID of an STM32."""


@dataclass(frozen=True)
class IdentityWord:
    """The word that identifies a chip of a family.

    Attributes:
        register: its name in the manual.
        addresses: where it may be.
        mask: the bits of the chip's device number, without its revision.
        fixed: (mask, value) of the bits that are the same for all chips of the family; (0, 0) where none are.
    """

    register: str
    addresses: tuple[int, ...]
    mask: int
    fixed: tuple[int, int] = (0, 0)

    def device(self, word: int) -> int | None:
        """The device number in a word that was read there; None where it cannot be from a chip of the family."""
        mask, value = self.fixed
        device = word & self.mask
        return device if word & mask == value and device not in (0, self.mask) else None


@dataclass(frozen=True)
class ChipFamily:
    """One family.

    Attributes:
        name: as in messages.
        prefixes: of the names of its chips, in lower case.
        pin: regular expression of a pin's name.
        pin_form: an example of a pin's name.
        identity: None where no address is known for the whole family.
    """

    name: str
    prefixes: tuple[str, ...]
    pin: str
    pin_form: str
    identity: IdentityWord | None = None


# The order in which the chip at a probe is identified: families first whose word cannot be that of another
FAMILIES = (
    ChipFamily(  # RP2040 datasheet, 2.20: CHIP_ID has revision (4 bits), part (16) and manufacturer (12, 0x927)
        name="RP2040",
        prefixes=("rp2040",),
        pin=r"GP([0-9]|[12][0-9])",
        pin_form="GP0",
        identity=IdentityWord("SYSINFO CHIP_ID", (0x4000_0000,), 0x0FFF_FFFF, (0xFFF, 0x927)),
    ),
    ChipFamily(  # product specifications of the nRF52 series: INFO.PART, such as 0x00052840
        name="nRF52",
        prefixes=("nrf52",),
        pin=r"P[01]\.([0-2][0-9]|3[01])",
        pin_form="P0.06",
        identity=IdentityWord("FICR INFO.PART", (0x1000_0100,), 0xFFFF_FFFF, (0xFFFF_F000, 0x0005_2000)),
    ),
    ChipFamily(  # no INFO.PART (nRF51), or it is elsewhere
        name="nRF",
        prefixes=("nrf",),
        pin=r"P[0-3]\.([0-2][0-9]|3[01])",
        pin_form="P0.06",
    ),
    ChipFamily(  # RP2350 datasheet: up to 48 pins in the package of the RP2350B
        name="RP2350",
        prefixes=("rp2350",),
        pin=r"GP([0-9]|[1-3][0-9]|4[0-7])",
        pin_form="GP0",
    ),
    ChipFamily(  # reference manuals: L4, F4, F7 (also G4, L1, F1, F3); H7; L5 and U5; G0 and L0
        name="STM32",
        prefixes=("stm32",),
        pin=r"P[A-K]([0-9]|1[0-5])",
        pin_form="PA9",
        identity=IdentityWord("DBGMCU_IDCODE", (0xE004_2000, 0x5C00_1000, 0xE004_4000, 0x4001_5800), DEVICE_MASK),
    ),
)


def find_family(*names: str | None) -> ChipFamily | None:
    """The family by the first of a chip's names (its own, pyOCD's) that has a family's prefix; None if none has."""
    for name in names:
        for family in FAMILIES:
            if name is not None and name.lower().startswith(family.prefixes):
                return family
    return None


def wrong_pin(family: ChipFamily | None, pin: str) -> str | None:
    """What is wrong with the name of a pin; None if nothing is, or the family is not known."""
    if family is None or re.fullmatch(family.pin, pin):
        return None
    return f"{pin!r} is no pin of the {family.name} family, whose pins are named like {family.pin_form}"
