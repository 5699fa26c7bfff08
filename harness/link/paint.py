"""The paint of the arena, as the firmware makes it (firmware/runtime/hil_paint.h)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INVERSE = 0x80000000


def pattern(seed: int, size: int) -> NDArray[np.uint8]:
    """The paint of `size` bytes. Seeds s and s ^ INVERSE differ in every byte."""
    x = np.arange((size + 3) // 4, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed & 0x7FFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    if seed & INVERSE:
        x = ~x
    return x.astype("<u4").view(np.uint8)[:size]


def touched(arena: bytes, seed: int) -> NDArray[np.bool_]:
    """Which bytes lost their paint. Of two runs with inverse seeds, `a | b` is exactly the bytes that were written."""
    mask: NDArray[np.bool_] = np.frombuffer(arena, np.uint8) != pattern(seed, len(arena))
    return mask
