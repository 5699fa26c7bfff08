"""Predicts how right an architecture will be from those that were trained: ridge regression over what it is made of.

Short trainings are noisy: a few thousand pictures that are held back tell 0.4 %, about what good members differ by. A
regression over all of them smooths that, and ranks thousands of members without training any (progressive search, Liu
et al. 2018, section 4.3; theirs is a network, and linear where few are known).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import numpy as np
import numpy.typing as npt

from harness.search.architecture import Architecture, StageShape

Macs = Callable[[Architecture], float]
Vector = npt.NDArray[np.float64]

_PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Of the squared weights of standardized features, among which what is left out decides."""


def features(net: Architecture, macs: float) -> list[float]:
    """What a network is made of: log MACs, log channels of the stem, and of each stage what its blocks have."""
    found = [log(macs), log(net.stem)]
    for stage in net.stages:
        found += _stage(stage)
    return found


def _stage(stage: StageShape) -> list[float]:
    """log channels, blocks, log of the expansions' sum and mean kernel; of no blocks, zeros."""
    blocks = stage.blocks
    if not blocks:
        return [0.0, 0.0, 0.0, 0.0]
    kernels = sum(block.kernel for block in blocks) / len(blocks)
    return [log(stage.channels), len(blocks), log(sum(block.expansion for block in blocks)), kernels]


class Predictor:
    """Of accuracies, fitted to trained architectures.

    Args:
        nets: that were trained.
        reached: their accuracies.
        macs: of an architecture.
    """

    def __init__(self, nets: Sequence[Architecture], reached: Sequence[float], macs: Macs) -> None:
        self._macs = macs
        raw = np.array([features(net, macs(net)) for net in nets], np.float64)
        self._mean = raw.mean(axis=0)
        spread = raw.std(axis=0)
        self._spread = np.where(spread > 0, spread, 1.0)
        x = (raw - self._mean) / self._spread
        self._base = float(np.mean(reached))
        y = np.array(reached, np.float64) - self._base
        tried = [_ridge(x, y, penalty) for penalty in _PENALTIES]
        self._weights, self._left_out = min(tried, key=lambda one: float(np.sum((one[1] - y) ** 2)))

    @property
    def left_out(self) -> tuple[float, ...]:
        """What is predicted for each that was trained, by all others."""
        return tuple(float(value) for value in self._left_out + self._base)

    def __call__(self, net: Architecture) -> float:
        """The accuracy that is expected."""
        x = (np.array(features(net, self._macs(net))) - self._mean) / self._spread
        return float(x @ self._weights) + self._base


def _ridge(x: Vector, y: Vector, penalty: float) -> tuple[Vector, Vector]:
    """Weights, and what is predicted for each row by the others.

    Source of the second: the leave-one-out residual of a linear smoother is its residual over 1 - h, h the diagonal of
    the hat matrix (Hastie et al., "The Elements of Statistical Learning", section 7.10); the mean has 1 / n of it.
    """
    inverse = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T)
    weights = inverse @ y
    share = np.einsum("ij,ji->i", x, inverse) + 1 / len(y)
    return weights, y - (y - x @ weights) / np.maximum(1 - share, 1e-3)
