"""Staircases: the outputs of a layer's channel over its sums, which never fall. Where two roundings give the same.

A rounding's outputs follow from its steps, the smallest sums that give each output, and its ends. Steps are found by
bisection, so whatever a rounding computes is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import INT32_MAX, INT32_MIN, Ints
from harness.quantization.types import Clamp, DType

Outputs: TypeAlias = Callable[[Ints], Ints]
"""int64 (channels, any number of sums) -> outputs, clamped: of every channel."""

NO_STEP = INT32_MIN
"""Stands for a step that no sum within reach takes."""


def sums_range(weights: npt.ArrayLike, bias: npt.ArrayLike, inputs: Clamp = DType.INT8.range) -> tuple[Ints, Ints]:
    """(lowest, highest) value of bias + sum(weights * x) per channel over all x of the range `inputs`.

    Args:
        weights: int, (channels, taps).
        bias: int, (channels,), with the input's zero point folded in, not wrapped.
        inputs: of every x.
    """
    w, start = np.asarray(weights, np.int64), np.asarray(bias, np.int64)
    down, up = inputs[0] * w, inputs[1] * w
    return start + np.minimum(down, up).sum(axis=1), start + np.maximum(down, up).sum(axis=1)


def steps_of(outputs: Outputs, low: Ints, high: Ints, targets: Ints) -> Ints:
    """int64 (channels, targets): the smallest sum in low..high that gives each target or more; NO_STEP where none does,
    or where the lowest does already.
    """
    below = np.broadcast_to(low[:, None], (len(low), len(targets))).copy()
    above = np.broadcast_to(high[:, None], below.shape).copy()
    first, last = outputs(low[:, None]), outputs(high[:, None])
    reached = (targets > first) & (targets <= last)
    while True:
        open_ = reached & (above - below > 1)
        if not open_.any():
            return np.where(reached, above, NO_STEP)
        middle = (below + above) >> 1
        up = outputs(middle) >= targets
        above = np.where(open_ & up, middle, above)
        below = np.where(open_ & ~up, middle, below)


def same_outputs(one: Outputs, other: Outputs, low: Ints, high: Ints, clamp: Clamp) -> bool:
    """Whether two roundings give the same for every sum in low..high of every channel; sums beyond int32: never."""
    if (low < INT32_MIN).any() or (high > INT32_MAX).any():
        return False
    ends = np.stack([low, high], axis=1)
    if not np.array_equal(one(ends), other(ends)):
        return False
    targets = np.arange(clamp[0] + 1, clamp[1] + 1, dtype=np.int64)
    # A step of the one that the other takes at the same sum, for all of them: then they are the same.
    steps = steps_of(one, low, high, targets)
    at = np.where(steps == NO_STEP, high[:, None], steps)
    before = np.where(steps == NO_STEP, low[:, None], steps - 1)
    return bool((one(at) == other(at)).all() and (one(before) == other(before)).all())
