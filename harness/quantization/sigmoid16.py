"""Sigmoid and tanh of int16, by the table of the sigmoid that TFLM has: 256 points over 0 .. 10.67, interpolated.

Source: reference/integer_ops/logistic.h and tanh.h, and sigmoid_table_uint16 in common.cc, of tensorflow/lite/kernels.
"""

from __future__ import annotations

from functools import cache
from math import frexp

import numpy as np

from harness.errors import GraphError
from harness.quantization.fixedpoint import Ints
from harness.quantization.types import Quantized

LAST = 255
"""Number of the table's last point: what lies beyond it is saturated."""


_ONE_MORE = (
    *(4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49),
    *(50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135),
)
"""Points at which TFLM's table is one above the rounded sigmoid; found by running its TANH."""


@cache
def sigmoid_table() -> Ints:
    """TFLM's points, about 65536 * sigmoid(i / 24) for i = 0 .. 255."""
    points = np.floor(65536 / (1 + np.exp(-np.arange(LAST + 1) / 24)) + 0.5).astype(np.int64)
    points[list(_ONE_MORE)] += 1
    points[LAST] = 65535
    points.setflags(write=False)
    return points


def sigmoid16(x: Ints, multiplier: int = 3, right: int = 0) -> Ints:
    """Sigmoid in Q0.15 of int16; x * multiplier / 2**right is the input in units of 2**-14 / 0.75."""
    scaled = _scaled(x, multiplier, right)
    magnitude = np.abs(scaled)
    place = magnitude >> 9
    inside = np.minimum(place, LAST - 1)
    low, high = sigmoid_table()[inside], sigmoid_table()[inside + 1]
    between = (low << 9) + (magnitude & 0x1FF) * (high - low)
    result = np.where(place >= LAST, 0x7FFF << 10, between)
    return np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1) >> 10


def tanh16(x: Ints, multiplier: int, right: int = 0) -> Ints:
    """Tanh in Q0.15 of int16; x * multiplier / 2**right is the input in units of 2**-14 / 0.75."""
    scaled = _scaled(x, multiplier, right)
    magnitude = np.abs(scaled)
    place = magnitude >> 8
    inside = np.minimum(place, LAST - 1)
    low, high = sigmoid_table()[inside], sigmoid_table()[inside + 1]
    between = (low << 8) + (magnitude & 0xFF) * (high - low)
    result = np.where(place >= LAST, 0xFFFF << 8, between)
    return np.where(scaled >= 0, result - (1 << 23) + (1 << 7), -result + (1 << 23) + (1 << 7) - 1) >> 8


def _scaled(x: Ints, multiplier: int, right: int) -> Ints:
    half = 1 << (right - 1) if right > 0 else 0
    return (x.astype(np.int64) * multiplier + half) >> right


def sigmoid16_factor(x: Quantized) -> tuple[int, int]:
    """(multiplier, right) of sigmoid16 and tanh16 for an input of LOGISTIC or TANH. Source: TFLM's Prepare functions.

    Raises:
        GraphError: its scale is so large that an int16 times the multiplier overflows, for which TFLM has no result.
    """
    scale = float(np.float32(x.q.scale))
    fraction, exponent = frexp(scale)
    left = 12 + exponent - 1
    if fraction == 0.5 and left in (0, 1):
        return 3 << left, 0
    multiplier, right = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and right <= 30:
        multiplier, right = multiplier * 2, right + 1
    if multiplier >= 1 << 16:
        raise GraphError(
            f"'{x.name}' has scale {scale:g}, with which a function of int16 overflows",
            hint="quantize the model again with representative data",
        )
    return int(multiplier), right
