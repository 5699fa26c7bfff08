"""Weights in fewer bits: scales, and rounding to the nearest or one after the other.

Source of the adaptive rounding: Frantar et al. 2022, "GPTQ: Accurate Post-Training Quantization for Generative
Pre-trained Transformers", section 3, with columns in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.compression.stacks import Floats

Doubles = npt.NDArray[np.float64]
Rounding: TypeAlias = Callable[[Doubles], Doubles]


def most_of(bits: int) -> int:
    """The largest weight: -127 to 127 of 8 bits, -7 to 7 of 4."""
    return int((1 << (bits - 1)) - 1)


_SHARES = np.linspace(0.4, 1, 61)
_DAMPING = 0.01
ROWS = 20_000
"""Most outputs whose inputs the adaptive rounding looks at."""


def scales_of(rows: Floats, most: int, *, by_error: bool) -> Floats:
    """One scale for each row of weights [channels, weights of a channel], whose whole numbers go to `most`."""
    whole: Doubles = np.maximum(np.abs(rows).max(axis=1), 1e-9).astype(np.float64) / most
    if not by_error:
        return cast(Floats, whole.astype(np.float32))
    best, found = np.full(len(rows), np.inf), whole.copy()
    for share in _SHARES:
        scales = whole * share
        made = np.clip(np.round(rows / scales[:, None]), -most, most) * scales[:, None]
        errors = np.square(made - rows).sum(axis=1)
        better = errors < best
        best[better], found[better] = errors[better], scales[better]
    return cast(Floats, found.astype(np.float32))


def nearest(matrix: Floats, scales: Floats, most: int) -> Doubles:
    """[outputs, factors] as whole numbers."""
    return np.clip(np.round(matrix.astype(np.float64) / scales[:, None]), -most, most)


def adaptive(matrix: Floats, scales: Floats, most: int, factors: Floats, *, centred: bool) -> Doubles:
    """[outputs, factors] as whole numbers; each column's error is made up for by the columns after it.

    Args:
        matrix: weights.
        scales: of each output.
        most: the largest whole number.
        factors: [samples, factors]: what the weights are multiplied by.
        centred: the bias takes up the outputs' mean error afterwards, so that only what varies counts.
    """

    def whole(column: Doubles) -> Doubles:
        return np.clip(np.round(column / scales), -most, most)

    return whole(in_order(matrix, lambda column: whole(column) * scales, factors, centred=centred).T).T


def in_order(matrix: Floats, rounded: Rounding, factors: Floats, *, centred: bool = False) -> Doubles:
    """[outputs, factors] of what `rounded` allows; each column's error is made up for by the columns after it.

    Args:
        matrix: weights.
        rounded: a column of any numbers -> the nearest ones that are allowed.
        factors: [samples, factors]: what the weights are multiplied by.
        centred: see adaptive.
    """
    if len(factors) > ROWS:
        factors = factors[np.random.default_rng(0).choice(len(factors), ROWS, replace=False)]
    f = factors.astype(np.float64)
    if centred:
        f = f - f.mean(axis=0)
    hessian = f.T @ f
    size = len(hessian)
    hessian += np.eye(size) * max(np.trace(hessian) / size * _DAMPING, 1e-8)
    upper = np.linalg.cholesky(np.linalg.inv(hessian)).T
    left = matrix.astype(np.float64)
    made = np.zeros_like(left)
    for column in range(size):
        made[:, column] = rounded(left[:, column])
        error = (left[:, column] - made[:, column]) / upper[column, column]
        left[:, column + 1 :] -= np.outer(error, upper[column, column + 1 :])
    return made
