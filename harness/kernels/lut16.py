"""Weights of at most 16 values as indices of four bits and the values, in all or channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import Ints
from harness.quantization.shared_values import NIBBLES, shared_values

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lut16:
    """Indices and values.

    Attributes:
        indices: uint8 [channels, taps].
        tables: int8 [1 or channels, 16].
    """

    indices: Bytes
    tables: npt.NDArray[np.int8]

    @property
    def table_step(self) -> int:
        """Values from the table of a channel to that of the next; 0 where all share one."""
        return NIBBLES if len(self.tables) > 1 else 0

    def filled(self, channels: int) -> Lut16:
        """With as many more channels, which nobody reads, as make `channels`."""
        extra = channels - len(self.indices)
        more = extra if self.table_step else 0
        return Lut16(np.pad(self.indices, ((0, extra), (0, 0))), np.pad(self.tables, ((0, more), (0, 0))))

    def zero_first(self) -> Lut16 | None:
        """The same with the value 0 as the first of every table; None where a table has 16 others."""
        zeros = self.tables == 0
        if not zeros.any(axis=1).all():
            return None
        rows, at = np.arange(len(self.tables)), zeros.argmax(axis=1)
        tables = self.tables.copy()
        tables[rows, at], tables[:, 0] = tables[:, 0], 0
        moved = at[:, None] if self.table_step else at[0]
        indices = np.where(self.indices == 0, moved, np.where(self.indices == moved, 0, self.indices))
        return Lut16(indices.astype(np.uint8), tables)


def lut16(weights: Ints, *, per_channel: bool = True) -> Lut16 | None:
    """One table for weights [channels, taps] where 16 values are enough, else one a channel; None where neither is."""
    data = weights.astype(np.int8)
    found = shared_values(data, NIBBLES)
    if found is None and per_channel:
        found = shared_values(data, NIBBLES, axis=0)
    if found is None:
        return None
    tables = np.pad(found.tables, ((0, 0), (0, NIBBLES - found.tables.shape[1])))
    return Lut16(found.indices, tables.astype(np.int8))


def bytes_of(low: Bytes, high: Bytes) -> Bytes:
    """Two indices a byte."""
    return (low | high << 4).astype(np.uint8)
