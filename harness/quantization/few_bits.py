"""How few bytes weights take that are of few values, or of four bits."""

from __future__ import annotations

from math import ceil

import numpy as np

from harness.quantization.shared_values import BYTES, NIBBLES, is_int4, shared_values
from harness.quantization.types import Array

PAYS = 0.9
"""Share of the bytes that may be left: code that reads fewer bits is larger, too."""


def stored_bytes(data: Array) -> int:
    """Bytes of constants: as indices and tables of their values, as four bits, or as they are, whichever is least.

    A table is one for all, or one for each slice along the first axis.
    """
    found = [data.nbytes]
    if data.size and data.dtype in (np.int8, np.float32):
        floats = data.dtype == np.float32
        for axis in (None, 0) if data.ndim else (None,):
            shared = shared_values(data, BYTES if floats else NIBBLES, axis)
            if shared is not None:
                found.append(ceil(data.size * (8 if floats else 4) / 8) + shared.tables.nbytes)
    if data.dtype == np.int8 and is_int4(data):
        found.append(ceil(data.size / 2))
    return min(found)


def in_few_bits(data: Array) -> bool:
    """Whether constants may be stored in so few bits that it pays."""
    return stored_bytes(data) <= PAYS * data.nbytes
