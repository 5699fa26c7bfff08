"""Changes of measured figures: medians of repeats, of which noise is told from what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from harness.history.noise import Noise, noise_of
from harness.history.policy import AllowedChange, NoisePolicy
from harness.history.records import FigureKey, Number
from harness.history.verdicts import Change, Delta, change_of

Rows = Sequence[Sequence[Number | None]]


def measured_deltas(
    figure: FigureKey,
    names: Sequence[str],
    sides: Sequence[Rows],
    earlier: Rows,
    allowances: Sequence[AllowedChange],
    policy: NoisePolicy,
    compared: int,
) -> Iterator[Delta]:
    """The changes of figures that were measured together.

    Args:
        figure: metric and unit.
        names: of the layers; one empty name for the whole run.
        sides: of base and candidate, [repeat][layer].
        earlier: [run][layer] of the runs before the base, the oldest first; the base's runs may be among them.
        allowances: by layer.
        policy: how noise is judged.
        compared: how many figures are compared in all.
    """
    before, after = (_array(rows) for rows in sides)
    there = np.flatnonzero(~(np.isnan(before).all(axis=0) | np.isnan(after).all(axis=0)))
    if not len(there):
        return
    before, after = before[:, there], after[:, there]
    series = _array(earlier)[:, there] if earlier else before[:1]
    noise = noise_of(series[-policy.window :], [before, after], policy.assumed / 100)
    repeats = (len(before), len(after))
    old, new = np.nanmedian(before, axis=0), np.nanmedian(after, axis=0)
    level = np.maximum(np.abs(old), 1.0)
    bands = noise.band(repeats, policy.false_alarms, compared) * level
    for index, place in enumerate(map(int, there)):
        base, cand, allowance = _number(old[index]), _number(new[index]), allowances[place]
        allowed, band = allowance.of(base), float(bands[index])
        change, note = _judged(figure, cand - base, allowance, max(allowed, band), _unstable(noise, index, policy))
        yield Delta(figure, names[place], base, cand, change, allowed, band, repeats, note)


def _judged(
    figure: FigureKey, difference: Number, allowance: AllowedChange, limit: float, unstable: str
) -> tuple[Change, str]:
    """(what changed, why it is unstable)."""
    if not allowance.judged:
        return Change.UNCHANGED, ""
    change = change_of(figure, difference, limit)
    return (Change.UNSTABLE, unstable) if unstable and change is Change.UNCHANGED else (change, "")


def _unstable(noise: Noise, index: int, policy: NoisePolicy) -> str:
    spread = float(noise.spread[index]) * 100
    if not noise.freedom or spread <= policy.unstable:
        return ""
    return f"scatters by {spread:.1f} % from run to run"


def _array(rows: Rows) -> npt.NDArray[np.float64]:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)


def _number(value: np.float64) -> Number:
    return int(value) if float(value).is_integer() else float(value)
