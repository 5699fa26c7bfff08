"""Fixed-point functions of TFLM's signal operators: roots, logarithms and gains of unsigned numbers.

Arguments and results are int64 arrays of values that fit the C types named. Source: tensorflow/tflite-micro,
signal/src (square_root_32.cc, square_root_64.cc, log.cc, pcan_argc_fixed.cc).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import Ints

_UINT32 = (1 << 32) - 1
LOG_SCALE_BITS = 16
LOG_SEGMENT_BITS = 7
_LOG_E = 45426  # ln(2) with LOG_SCALE_BITS
SNR_BITS, PCAN_OUT_BITS = 12, 6
GAIN_BITS = 10
"""Of a place between two entries of a table of gains."""


def log_table() -> Ints:
    """int64[129]: log2(1 + x) - x at every 1/128, with LOG_SCALE_BITS fraction bits."""
    segments = 1 << LOG_SEGMENT_BITS
    return np.array([round((math.log2(1 + i / segments) - i / segments) * 65536) for i in range(segments + 1)])


_LOG = log_table()


def root(x: npt.NDArray[np.uint64]) -> Ints:
    """uint64 -> uint32: the square root rounded to nearest; at most 2**16 - 1 of what fits 32 bits."""
    made = np.empty(x.shape, np.int64)
    for i, value in np.ndenumerate(x):
        whole = math.isqrt(int(value))
        most = 0xFFFF if int(value) <= _UINT32 else _UINT32
        made[i] = whole + (int(value) - whole * whole > whole and whole != most)
    return made


def bits(x: Ints) -> Ints:
    """uint32 -> how many bits it takes; 0 of 0."""
    taken: Ints = np.frexp(x.astype(np.float64))[1].astype(np.int64)
    return taken


def log(x: Ints, scale: int) -> Ints:
    """uint32 of at least 1, uint32 -> uint32: the natural logarithm times `scale`."""
    whole = bits(x) - 1
    rest = x - (np.int64(1) << whole)
    shift = LOG_SCALE_BITS - whole
    part = np.where(shift > 0, rest << np.maximum(shift, 0), rest >> np.maximum(-shift, 0))
    segment = part >> (LOG_SCALE_BITS - LOG_SEGMENT_BITS)
    low, high = _LOG[segment], _LOG[segment + 1]
    beside = part - (segment << (LOG_SCALE_BITS - LOG_SEGMENT_BITS))
    fraction = part + low + (((high - low) * beside) >> LOG_SCALE_BITS)
    half = 1 << (LOG_SCALE_BITS - 1)
    natural = (_LOG_E * ((whole << LOG_SCALE_BITS) + fraction) + half) >> LOG_SCALE_BITS
    scaled: Ints = ((scale * natural + half) & _UINT32) >> LOG_SCALE_BITS
    return scaled


def gain(x: Ints, table: Ints) -> Ints:
    """uint32 -> int16: a function given as a table of parabolas over powers of two, four numbers each."""
    interval = bits(x)
    at = np.maximum(4 * interval - 6, 0)
    up, down = np.maximum(11 - interval, 0), np.maximum(interval - 11, 0)
    part = ((x << up) >> down) & ((1 << GAIN_BITS) - 1)
    inner = ((table[np.minimum(at + 2, len(table) - 1)] * part) >> 5) + (table[np.minimum(at + 1, len(table) - 1)] << 5)
    result = ((inner * part + (1 << 14)) >> 15) + table[np.minimum(at, len(table) - 1)]
    wrapped = result.astype(np.int16).astype(np.int64)
    return np.where(x <= 2, table[np.minimum(x, 2)], wrapped)


def shrunk(x: Ints) -> Ints:
    """uint32 -> uint32: the square of a small number of SNR_BITS, a larger one less one."""
    square = ((x * x) & _UINT32) >> (2 + 2 * SNR_BITS - PCAN_OUT_BITS)
    return np.where(x < (2 << SNR_BITS), square, (x >> (SNR_BITS - PCAN_OUT_BITS)) - (1 << PCAN_OUT_BITS))
