"""The levels of compression."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.errors import InputError, OptionError
from harness.quantization.shared_values import BYTES, NIBBLES

VALUES = NIBBLES
"""Of a layer, or of an output channel: indices of 4 bits are what kernels read."""

FLOAT_VALUES = BYTES
"""Of a float32 layer: indices of 8 bits."""


class TableScope(Enum):
    """What has a table of values of its own."""

    LAYER = "layer"
    CHANNEL = "output channel"


class CompressionError(InputError):
    """A model cannot be compressed as was asked."""

    code = "compression"
    stage = "compress"


@dataclass(frozen=True)
class CompressionLevel:
    """How much of weights is kept.

    Attributes:
        pointwise: what has VALUES different weights in fully connected layers and convolutions of one tap; None where
            weights stay as they are.
        others: the same in convolutions of more taps.
        linear: weights are -7 to 7 with scales of their own.
        what: in a few words.
    """

    name: str
    pointwise: TableScope | None
    others: TableScope | None
    linear: bool
    what: str

    @property
    def changes(self) -> bool:
        """Whether weights become others."""
        return self.linear or self.pointwise is not None


LEVELS = {
    level.name: level
    for level in (
        CompressionLevel("lossless", None, None, False, "weights as they are, in fewer bits where few values"),
        CompressionLevel("low", TableScope.CHANNEL, TableScope.CHANNEL, False, "16 values in each output channel"),
        CompressionLevel(
            "medium", TableScope.LAYER, TableScope.CHANNEL, False, "16 values a layer, in windows 16 in each channel"
        ),
        CompressionLevel("high", TableScope.LAYER, TableScope.LAYER, False, "16 values a layer"),
        CompressionLevel("int4", None, None, True, "4 bits with scales of their own"),
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
