"""Division by powers of two as the NPU rounds it. What the modes do was found by comparison with TFLite's kernels."""

from __future__ import annotations

import numpy as np

from harness.ethosu.fault import FaultError
from harness.quantization.fixedpoint import IntLike, Ints

DOUBLE, TRUNCATE, NATURAL = 0, 1, 2
"""Rounded twice, as TFLite's older kernels (ROUND_MODE_DBL); towards zero; half up."""

_FIRST = 31
"""Bits of the first of two roundings."""


def shifted(values: Ints, shift: IntLike, mode: int) -> Ints:
    """values / 2**shift, 0 <= shift <= 63."""
    right = np.asarray(shift, np.int64)
    if mode == NATURAL:
        return _half_up(values, right)
    if mode == TRUNCATE:
        return np.where(values < 0, -(-values >> right), values >> right)
    if mode == DOUBLE:
        first = np.minimum(right, _FIRST)
        return _half_away(_half_up(values, first), right - first)
    raise FaultError(f"round mode {mode} is none of the NPU's")


def _half_up(values: Ints, right: Ints) -> Ints:
    half: Ints = (np.int64(1) << right) >> 1
    return (values + half) >> right


def _half_away(values: Ints, right: Ints) -> Ints:
    mask: Ints = (np.int64(1) << right) - 1
    above: Ints = ((values & mask) > (mask >> 1) + (values < 0)).astype(np.int64)
    return (values >> right) + above


def half_away(values: Ints, right: Ints) -> Ints:
    """values / 2**right, nearest, ties away from zero."""
    return _half_away(values, right)
