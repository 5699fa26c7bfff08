"""1 / sqrt(x) of an integer as a quantized multiplier.

Source: tensorflow/lite/kernels/internal/common.h, GetInvSqrtQuantizedMultiplierExp (reverse shift -1).
"""

from __future__ import annotations

import numpy as np

from harness.quantization.fixedpoint import Ints, high_mul, rounding_shift_right, wrap32

_THREE_HALVES = (1 << 28) + (1 << 27)
"""1.5 in Q3.28."""
_HALF_SQRT_2 = 1518500250


def _one(x: int) -> tuple[int, int]:
    if x <= 1:
        return (1 << 31) - 1, 0
    shift = 11
    while x >= 1 << 29:
        x //= 4
        shift += 1
    leading = 32 - x.bit_length()
    pairs = (leading - 1) // 2 - 1
    shift -= pairs
    x <<= 2 * pairs
    # Newton-Raphson in Q3.28
    wide = x >> 1  # input in Q3
    half = int(rounding_shift_right(wide, 1))
    root = 1 << 28
    for _ in range(5):
        cubed = int(_saturated(int(high_mul(int(high_mul(root, root)), root)), 6))
        root = int(_saturated(int(wrap32(int(high_mul(_THREE_HALVES, root)) - int(high_mul(half, cubed)))), 3))
    root = int(high_mul(root, _HALF_SQRT_2))
    if shift < 0:
        root <<= -shift
        shift = 0
    return root, -shift


def _saturated(x: int, bits: int) -> int:
    return max(min(x << bits, (1 << 31) - 1), -(1 << 31))


def inverse_root(x: Ints) -> tuple[Ints, Ints]:
    """(m, shift) of 1 / sqrt(x) for x >= 0, as multiply_by_quantized_multiplier takes them; of 0 and 1 it is 1."""
    found = [_one(int(v)) for v in np.asarray(x).reshape(-1)]
    m, shift = (np.array(part, np.int64).reshape(np.shape(x)) for part in zip(*found, strict=True))
    return m, shift
