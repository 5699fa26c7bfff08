"""The Ethos-U55 and U65 that there are, and what of their build decides results and cycles.

Source: Vela 5.2, tables of configurations in architecture/ethosu55/ethos_u55.cpp and ethosu65/ethos_u65.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from harness.errors import UnsupportedModelError

BANK = 1024
"""Bytes of a bank of SHRAM."""

LUT_BYTES = 2 * BANK
"""Bytes of the tables at the end of SHRAM."""


@dataclass(frozen=True)
class Accelerator:
    """One build of the NPU.

    Attributes:
        name: as Vela has it, such as ethos-u55-128.
        product: 0 for the U55, 1 for the U65.
        macs: multipliers of a core, of 8 by 8 bits.
        cores: 2 share the work by output channels.
        ublock: height, width and depth of the smallest block of outputs computed at once.
        banks: kilobytes of SHRAM of a core.
        output_cycles: cycles of the output unit an element: 32-bit unary and binary, MUL to 32 bits, MUL or 40-bit
            accumulators, simple and scaled ADD, MAX pools, all else.
        activation_cycles: cycles an element of table lookups, of RELU, and of none.
    """

    name: str
    product: int
    macs: int
    cores: int
    ublock: tuple[int, int, int]
    banks: int
    output_cycles: tuple[float, ...]
    activation_cycles: tuple[float, float, float]

    @property
    def shram(self) -> int:
        """Bytes of SHRAM of a core."""
        return self.banks * BANK

    @property
    def config(self) -> int:
        """The word of its CONFIG register that says which build it is; a payload asks for the same."""
        return int(log2(self.macs * self.cores)) | self.cores * self.banks << 8 | self.product << 28


ACCELERATORS = (
    Accelerator("ethos-u55-32", 0, 32, 1, (1, 1, 4), 16, (2, 3, 3, 3, 4, 6, 1, 2), (1, 1, 0)),
    Accelerator("ethos-u55-64", 0, 64, 1, (1, 1, 8), 16, (1, 1.5, 1.5, 1.5, 2, 3, 0.5, 1), (1, 1, 0)),
    Accelerator("ethos-u55-128", 0, 128, 1, (1, 2, 8), 24, (0.75, 1.25, 0.75, 0.75, 1, 1.5, 0.25, 0.5), (1, 0.5, 0)),
    Accelerator(
        "ethos-u55-256", 0, 256, 1, (2, 2, 8), 48, (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25), (1, 0.25, 0)
    ),
    Accelerator(
        "ethos-u65-256", 1, 256, 1, (2, 2, 8), 48, (0.625, 1.125, 0.5, 0.375, 0.5, 0.75, 0.125, 0.25), (1, 0.25, 0)
    ),
    Accelerator(
        "ethos-u65-512",
        1,
        256,
        2,
        (2, 2, 8),
        48,
        (0.3125, 0.5625, 0.25, 0.1875, 0.25, 0.375, 0.0625, 0.125),
        (0.5, 0.125, 0),
    ),
)


def accelerator_of(config: int, place: str) -> Accelerator:
    """The accelerator that a payload is for.

    Raises:
        UnsupportedModelError: it is none of these, such as an Ethos-U85, whose commands are others.
    """
    for accelerator in ACCELERATORS:
        if accelerator.config == config & 0xF000FF0F:
            return accelerator
    what = "an Ethos-U85" if config >> 28 == 2 else "no Ethos-U55 or U65"
    raise UnsupportedModelError(
        f"{place}: compiled for {what} (configuration word 0x{config:08x})",
        hint=f"compile it with vela --accelerator-config {' | '.join(a.name for a in ACCELERATORS)}",
    )
