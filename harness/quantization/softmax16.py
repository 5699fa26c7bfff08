"""SOFTMAX of int16 by TFLM's two tables of 513 points, interpolated: exp over -10 .. 0, and 1 / (1 + x) over 0 .. 1.

Source: LUTPopulateInt16 and LUTLookup in tensorflow/lite/kernels/internal/common.h, SoftmaxInt16 in softmax.h.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from harness.errors import GraphError
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, quantize_multiplier
from harness.quantization.params import Multiplier
from harness.quantization.types import Quantized

STEPS = 512
"""Intervals of a table; its last point serves the slope of the last interval alone."""

_LOW, _HIGH = -(1 << 15), (1 << 15) - 1
_RANGE = np.float32(65535)
_F = np.float32


def _round(value: np.float32) -> np.float32:
    """std::round of a float."""
    return np.float32(np.copysign(np.floor(np.abs(np.float64(value)) + 0.5), value))


def _table(low: float, high: float, function: Callable[[np.float32], np.float32]) -> Ints:
    """Points of `function` over [low, high] in Q0.15, each moved by half of the error in the middle of its interval.

    All in float32, in TFLM's order.
    """
    step = (_F(high) - _F(low)) / _F(STEPS)
    half, inverse = step / _F(2), _F(65536) / (_F(2) / _RANGE * _F(_HIGH) - _F(2) / _RANGE * _F(_LOW))
    points = []
    for i in range(STEPS):
        here, following = function(_F(low) + _F(i) * step), function(_F(low) + _F(i + 1) * step)
        middle = function(_F(low) + _F(i) * step + half)
        sample = _round(here * inverse)
        between = _round((following * inverse + sample) / _F(2))
        points.append(sample - _round((between - _round(middle * inverse)) / _F(2)))
    points.append(_round(function(_F(high)) * inverse))
    table = np.clip(np.array(points), _LOW, _HIGH).astype(np.int64)
    table.setflags(write=False)
    return table


@cache
def exp_table() -> Ints:
    """exp(x) in Q0.15 for x from -10 to 0."""
    return _table(float(_F(10) / _RANGE * _F(-65535)), 0.0, lambda x: np.float32(np.exp(np.float64(x))))


@cache
def reciprocal_table() -> Ints:
    """1 / (1 + x) in Q0.15 for x from 0 to 1."""
    return _table(0.0, float(_F(1) / _RANGE * _RANGE), lambda x: _F(1) / (_F(1) + x))


def looked_up(table: Ints, x: Ints) -> Ints:
    """The value at int16 `x`, whose range is the table's."""
    place = 256 + (x >> 7)
    base = table[place]
    slope = table[place + 1] - base
    value: Ints = base + ((slope * (x & 0x7F) + 64) >> 7)
    return value


def softmax16_params(x: Quantized, beta: float) -> Multiplier:
    """Factor of a difference to the row's maximum, to steps of 10 / 65535.

    Raises:
        GraphError: it is so large that differences of int16 times it overflow, for which TFLM has no result.
    """
    real = float(np.float32(x.q.scale)) * float(np.float32(beta)) / (10.0 / 65535.0)
    factor = Multiplier(*quantize_multiplier(real))
    if real < 0 or factor.shift > 15:
        raise GraphError(
            f"SOFTMAX of '{x.name}': input scale {x.q.scale:g} times beta {beta:g} is not between 0 and 5",
            hint="quantize the model again with representative data",
        )
    return factor


def softmax16(x: Ints, factor: Multiplier) -> Ints:
    """Probabilities in Q0.15 over the last dimension of int16 `x`."""
    scaled = multiply_by_quantized_multiplier(x - x.max(axis=-1, keepdims=True), factor.m, factor.shift)
    exps = looked_up(exp_table(), np.clip(scaled + _HIGH, _LOW, _HIGH))
    total = exps.sum(axis=-1, keepdims=True)
    zeros = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    fraction = ((total << (zeros - 1)) + (1 << 13)) >> 14
    scale = looked_up(reciprocal_table(), np.clip(fraction - (1 << 15) - (1 << 16), _LOW, _HIGH))
    right = 31 - zeros
    made: Ints = np.clip((exps * scale + (np.int64(1) << (right - 1))) >> right, 0, _HIGH)
    return made
