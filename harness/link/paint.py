"""The paint of arena and stack, as the firmware makes it (firmware/runtime/hil_paint.h)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INVERSE = 0x80000000
# The stack's word at address a holds the paint of a / 4 (firmware/runtime/hil_paint.c)
STACK_SEED = 0x57ACC0DE


def pattern(seed: int, size: int) -> NDArray[np.uint8]:
    """The paint of `size` bytes. Seeds s and s ^ INVERSE differ in every byte."""
    return pattern_at(seed, 0, (size + 3) // 4).astype("<u4").view(np.uint8)[:size]


def pattern_at(seed: int, first: int, count: int) -> NDArray[np.uint32]:
    """The paint of `count` words from word `first` on."""
    x = np.arange(first, first + count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed & 0x7FFFFFFF)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return ~x if seed & INVERSE else x


def touched(arena: bytes, seed: int) -> NDArray[np.bool_]:
    """Which bytes lost their paint. Of two runs with inverse seeds, `a | b` is exactly the bytes that were written."""
    mask: NDArray[np.bool_] = np.frombuffer(arena, np.uint8) != pattern(seed, len(arena))
    return mask
