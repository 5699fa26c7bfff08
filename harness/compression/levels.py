"""The levels of compression."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import InputError, OptionError

FLOAT_VALUES = 256
"""Of a float32 layer: indices of 8 bits are what kernels read."""


class CompressionError(InputError):
    """A model cannot be compressed as was asked."""

    code = "compression"
    stage = "compress"


@dataclass(frozen=True)
class CompressionLevel:
    """How much of weights is kept.

    Attributes:
        values: most different weights of a layer; 0 where they stay as they are.
        linear: weights are -7 to 7 with scales of their own.
        what: in a few words.
    """

    name: str
    values: int
    linear: bool
    what: str

    @property
    def changes(self) -> bool:
        """Whether weights become others."""
        return bool(self.values) or self.linear


LEVELS = {
    level.name: level
    for level in (
        CompressionLevel("lossless", 0, False, "weights as they are, in fewer bits where they have few values"),
        CompressionLevel("low", 32, False, "32 values a layer"),
        CompressionLevel("medium", 16, False, "16 values a layer"),
        CompressionLevel("high", 8, False, "8 values a layer"),
        CompressionLevel("int4", 0, True, "4 bits with scales of their own"),
    )
}
"""Name -> level."""


def level_of(name: str) -> CompressionLevel:
    """The level of a name.

    Raises:
        OptionError: there is none.
    """
    if name not in LEVELS:
        raise OptionError(f"no level of compression is named '{name}'", hint=f"one of: {', '.join(LEVELS)}")
    return LEVELS[name]
