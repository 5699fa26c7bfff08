"""The logarithm of numbers from 1 up in fixed point, as TFLM's LOG_SOFTMAX takes it of a sum of exponentials.

Source: tensorflow/lite/kernels/internal/common.h, log_x_for_x_greater_than_or_equal_to_1_impl.
"""

from __future__ import annotations

import numpy as np

from harness.quantization.fixedpoint import (
    INT32_MAX,
    INT32_MIN,
    Ints,
    high_mul,
    one_over_one_plus_x,
    rounding_shift_right,
    saturating_shift_left,
    wrap32,
)

_LOG_2, _SQRT_SQRT_HALF, _SQRT_HALF = 1488522236, 1805811301, 1518500250
_ALPHA_N, _ALPHA_D, _ALPHA_I, _ALPHA_F = 117049297, 127690142, 1057819769, 638450708
IN_BITS, OUT_BITS = 12, 5
"""Integer bits of the number and of its logarithm."""
_ACCUMULATED = OUT_BITS + 1
_QUARTER = 1 << (31 - _ACCUMULATED - 2)


def _leading_zeros(x: Ints) -> Ints:
    """Of a positive int32, read as unsigned."""
    return np.asarray(32 - np.frexp(x.astype(np.float64))[1].astype(np.int64))


def _shifted(x: Ints, bits: Ints) -> Ints:
    """x * 2**bits, saturated."""
    shifted: Ints = np.clip(x << bits, INT32_MIN, INT32_MAX)
    return shifted


def _saturated(x: Ints) -> Ints:
    return np.clip(x, INT32_MIN, INT32_MAX)


def log_above_one(x: Ints) -> Ints:
    """ln(x) with OUT_BITS integer bits, of x >= 1 given with IN_BITS integer bits in an int32."""
    zeros = _leading_zeros(x)
    r_a = saturating_shift_left(high_mul(_shifted(x, zeros - 1), _SQRT_HALF), 1)
    power_a = _saturated(((IN_BITS - zeros) << (31 - _ACCUMULATED)) + _QUARTER)
    headroom = _leading_zeros(high_mul(x, _SQRT_HALF)) - 1
    r_b = _shifted(x, headroom)
    power_b = _saturated(((IN_BITS - headroom) << (31 - _ACCUMULATED)) - _QUARTER)
    r, power = np.minimum(r_a, r_b), np.maximum(power_a, power_b)
    total = r + _SQRT_SQRT_HALF
    p = np.where(total >= 0, (total + 1) >> 1, -((1 - total) >> 1))
    q = wrap32(2 * wrap32(r - _SQRT_SQRT_HALF))
    squared = high_mul(q, q)
    numerator = wrap32(high_mul(q, r) + high_mul(high_mul(q, squared), _ALPHA_N))
    inner = wrap32(_ALPHA_I + q + high_mul(_ALPHA_D, squared))
    below = one_over_one_plus_x(wrap32(high_mul(p, inner) + high_mul(_ALPHA_F, q)))
    scaled = rounding_shift_right(numerator, _ACCUMULATED)
    return saturating_shift_left(wrap32(high_mul(power, _LOG_2) + high_mul(scaled, below)), 1)
