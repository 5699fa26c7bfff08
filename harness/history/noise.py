"""Which change of a measured figure is more than noise.

The spread of one measurement (a standard deviation, relative to the figure) is estimated from repeats within a run
and from the steps between runs that follow each other: a lasting change of level is one large step, and the largest
tenth of the steps is left out. What the layers of one run have in common (their median) counts as much as WEIGHT
measurements, so that few nights do not make a layer look quieter than it is; where nothing was measured yet, an assumed
spread stands in.

A difference of two medians is a change when it is larger than

    q * spread * sqrt(c / n_base + c / n_candidate)

where c is pi / 2 for medians of more than two values (a median scatters more than a mean) and else 1, and q is
Student's quantile for the allowed rate of false alarms, divided by the number of figures compared (Bonferroni).
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

Values: TypeAlias = npt.NDArray[np.float64]

WEIGHT = 4
"""How many measurements the spread that is common to the layers counts for."""

_LEAST = 3
"""Steps below which nothing is made of them."""

_CUT = 1.15
"""Root mean square of normal steps over that without their largest tenth, by simulation of 20 to 40 steps."""


@dataclass(frozen=True)
class Noise:
    """The noise of figures that were measured together, such as the layers' times of one run.

    Attributes:
        spread: relative standard deviation of one measurement, by figure.
        freedom: degrees of freedom behind it; 0 where it is assumed.
    """

    spread: Values
    freedom: int

    def band(self, repeats: tuple[int, int], false_alarms: float, compared: int) -> Values:
        """The largest relative difference of two medians that is noise, by figure.

        Args:
            repeats: how many measurements each median is of.
            false_alarms: how often noise may be taken for a change, per comparison of all figures.
            compared: how many figures are compared.
        """
        error = math.sqrt(sum((math.pi / 2 if count > 2 else 1) / count for count in repeats))
        probability = 1 - false_alarms / (2 * max(compared, 1))
        quantile = statistics.NormalDist().inv_cdf(probability)
        if self.freedom:
            quantile = student(probability, self.freedom)
        found: Values = self.spread * (quantile * error)
        return found


def noise_of(series: Values, groups: Sequence[Values], assumed: float) -> Noise:
    """The noise of some figures.

    Args:
        series: [run, figure], runs in the order of time; NaN where one has no value.
        groups: [repeat, figure] of runs that were measured more than once.
        assumed: the relative spread to assume where little was measured.
    """
    level = _level([series, *groups])
    squares, freedom = np.zeros(len(level)), 0
    steps = np.abs(np.diff(series, axis=0)) / level
    if len(steps) >= _LEAST:
        kept = np.sort(np.nan_to_num(steps), axis=0)[: -max(1, len(steps) // 10)]
        squares += len(steps) * (_CUT**2) * np.mean(kept**2, axis=0) / 2
        freedom += len(steps)
    for group in groups:
        if len(group) >= _LEAST:
            middle = median_of(group)
            deviation = np.nan_to_num(median_of(np.abs(group - middle))) * 1.4826  # of a normal value
            squares += (len(group) - 1) * (deviation / level) ** 2
            freedom += len(group) - 1
    if not freedom:
        return Noise(np.full(len(level), assumed), 0)
    common = float(np.median(squares / freedom)) if len(level) > 2 else assumed**2
    return Noise(np.sqrt((WEIGHT * common + squares) / (WEIGHT + freedom)), WEIGHT + freedom)


def _level(parts: Sequence[Values]) -> Values:
    """By figure what its values are about, at least 1: a median of their absolutes."""
    found: Values = np.maximum(np.nan_to_num(median_of(np.abs(np.concatenate(parts)))), 1.0)
    return found


def median_of(values: Values) -> Values:
    """The median of each column without its NaN; quick where there is none, or one row."""
    if len(values) == 1:
        alone: Values = values[0]
        return alone
    found: Values = np.nanmedian(values, axis=0) if np.isnan(values).any() else np.median(values, axis=0)
    return found


@lru_cache(maxsize=4096)
def student(probability: float, freedom: int) -> float:
    """The quantile of Student's t distribution, for probabilities over a half.

    Source: G. W. Hill, Algorithm 396: Student's t-quantiles, Communications of the ACM 13 (1970), p. 619.
    """
    two_sided = 2 * (1 - probability)
    if freedom == 1:
        return 1 / math.tan(two_sided * math.pi / 2)
    if freedom == 2:
        return math.sqrt(2 / (two_sided * (2 - two_sided)) - 2)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * freedom
    y = (d * two_sided) ** (2 / freedom)
    if y > 0.05 + a:
        x = statistics.NormalDist().inv_cdf(two_sided / 2)
        y = x**2
        if freedom < 5:
            c += 0.3 * (freedom - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y**2)
    else:
        y = ((1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3) + 0.5 / (freedom + 4)) * y
             - 1) * (freedom + 1) / (freedom + 2) + 1 / y
    return math.sqrt(freedom * y)
