"""The size of the error e = r - v over all n values; r are the reference's, v the board's."""

from __future__ import annotations

import numpy as np

from harness.validate.metrics.pair import OutputPair, ratio


def rmse(pair: OutputPair) -> float:
    """Root mean square error, sqrt(sum(e^2) / n)."""
    return float(np.sqrt(pair.squared_error / pair.e.size))


def mae(pair: OutputPair) -> float:
    """Mean absolute error, sum(|e|) / n."""
    return float(np.mean(np.abs(pair.e)))


def l2r(pair: OutputPair) -> float:
    """L2 relative error, sqrt(sum(e^2)) / sqrt(sum(r^2)); 0 when both are 0, infinite when only r is."""
    return ratio(float(np.sqrt(pair.squared_error)), float(np.linalg.norm(pair.r)))


def mean(pair: OutputPair) -> float:
    """Arithmetic mean of the error, sum(e) / n."""
    return float(np.mean(pair.e))


def std(pair: OutputPair) -> float:
    """Standard deviation of the error, sqrt(sum((e - mean)^2) / n)."""
    return float(np.std(pair.e))
