"""Few values that stand for many: k-means in one dimension, which is exact there.

Source: Wang and Song 2011, "Ckmeans.1d.dp: Optimal k-means Clustering in One Dimension by Dynamic Programming".
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]

_STEPS = 20
_MOST_DIFFERENT = 512
"""Different values that are looked at; more are taken together by their order first. int8 has 256."""


def few_values(values: Doubles, most: int, weights: Doubles | None = None, *, whole: bool, kept: float) -> Doubles:
    """At most `most` values, ascending, that stand for `values` with the least squared error.

    Args:
        values: any number of them, of one dimension.
        most: 1 or more.
        weights: how much the error of each counts; 1 without.
        whole: what is found are whole numbers.
        kept: stays exactly as it is, if it is among the values: a weight of 0 says that nothing is there.
    """
    counts = np.ones_like(values) if weights is None else weights
    u, inverse = np.unique(values, return_inverse=True)
    mass = np.bincount(inverse, counts, len(u))
    if len(u) <= most:
        return u
    mass = mass + mass.sum() * 1e-12
    few, of_few = _binned(u, mass, kept)
    found = _centres(few, of_few, _cuts(few, of_few, most, kept), kept)
    found = found if few is u else _settled(found, u, mass, kept)
    return np.unique(np.round(found) if whole else found)


def nearest_of(values: Doubles, table: Doubles) -> Doubles:
    """Every value as the nearest one of an ascending table."""
    found: Doubles = table[np.searchsorted((table[1:] + table[:-1]) / 2, values)]
    return found


def _binned(u: Doubles, mass: Doubles, kept: float) -> tuple[Doubles, Doubles]:
    """At most so many values, of equal mass where they are dense and of equal width elsewhere; `kept` stays alone."""
    if len(u) <= _MOST_DIFFERENT:
        return u, mass
    half = _MOST_DIFFERENT // 2
    by_mass = np.minimum((np.cumsum(mass) / mass.sum() * half).astype(np.int64), half - 1)
    by_width = np.minimum(((u - u[0]) / (u[-1] - u[0]) * half).astype(np.int64), half - 1)
    bins = (by_mass * half + by_width) * 3 + np.sign(u - kept).astype(np.int64)
    _, inverse = np.unique(bins, return_inverse=True)
    total = np.bincount(inverse, mass)
    means: Doubles = np.bincount(inverse, mass * u) / total
    return means, total.astype(np.float64)


def _settled(table: Doubles, u: Doubles, mass: Doubles, kept: float) -> Doubles:
    """Centres moved to the means of what is nearest to them, where values were taken together before."""
    for _ in range(_STEPS):
        inside = np.searchsorted((table[1:] + table[:-1]) / 2, u)
        total = np.bincount(inside, mass, len(table))
        means = np.bincount(inside, mass * u, len(table)) / np.where(total > 0, total, 1)
        table = np.unique(np.where((total > 0) & (table != kept), means, table))
    return table


def _cuts(u: Doubles, mass: Doubles, most: int, kept: float) -> list[tuple[int, int]]:
    """The clusters as ranges of indices, by dynamic programming over all of them."""
    n = len(u)
    sums = [np.concatenate([[0.0], np.cumsum(mass * u**power)]) for power in (0, 1, 2)]
    m0, m1, m2 = (s[None, :] - s[:, None] for s in sums)
    first, last = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    with np.errstate(all="ignore"):
        cost = m2 - m1 * m1 / m0
    at = int(np.searchsorted(u, kept))
    if at < n and u[at] == kept:  # a cluster with it has it for its centre
        around = (first <= at) & (at < last)
        cost = np.where(around, m2 - 2 * kept * m1 + kept * kept * m0, cost)
    cost[last <= first] = np.inf
    best, steps = cost[0].copy(), []
    for _ in range(most - 1):
        whole = best[:, None] + cost
        steps.append(whole.argmin(axis=0))
        best = whole[steps[-1], np.arange(n + 1)]
        best[0] = np.inf
    found, end = [], n
    for step in reversed(steps):
        found.append((int(step[end]), end))
        end = int(step[end])
    return [(0, end), *reversed(found)]


def _centres(u: Doubles, mass: Doubles, cuts: list[tuple[int, int]], kept: float) -> Doubles:
    found = []
    for first, last in cuts:
        part = u[first:last]
        found.append(kept if (part == kept).any() else float(np.average(part, weights=mass[first:last])))
    return np.array(found)
