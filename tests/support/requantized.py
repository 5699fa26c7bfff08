"""What the specification makes of accumulators: TFLM's two roundings, the zero point, the clamp."""

from __future__ import annotations

import numpy as np

from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier


def specified(acc: Ints, m: int | Ints, shift: int | Ints, zero_point: int, clamp: tuple[int, int]) -> Ints:
    """Outputs of a layer with these multipliers and shifts, one for all channels or one a channel."""
    return np.clip(multiply_by_quantized_multiplier(acc, m, shift) + zero_point, *clamp)
