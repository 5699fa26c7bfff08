"""The error relative to the variance of the reference."""

from __future__ import annotations

import numpy as np

from harness.validate.metrics.pair import OutputPair, ratio


def nse(pair: OutputPair) -> float:
    """Nash-Sutcliffe efficiency, 1 - sum(e^2) / sum((r - sum(r) / n)^2); 1 is perfect.

    1 for equal constants, minus infinity for a constant reference with any error.
    """
    return 1.0 - ratio(pair.squared_error, float(np.sum((pair.r - pair.r.mean()) ** 2)))
