"""Changes of measured figures: medians of repeats, of which noise is told from what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.history.noise import Values, median_of, noise_of
from harness.history.policy import AllowedChange, NoisePolicy
from harness.history.records import FigureKey, Number
from harness.history.verdicts import Change, Delta, change_of

Rows = Sequence[Sequence[Number | None]]


def measured_deltas(
    figure: FigureKey,
    names: Sequence[str],
    sides: Sequence[Rows],
    earlier: Values,
    allowances: Sequence[AllowedChange],
    policy: NoisePolicy,
    compared: int,
) -> Iterator[Delta]:
    """The changes of figures that were measured together; those that stayed as they are, are left out.

    Args:
        figure: metric and unit.
        names: of the layers; one empty name for the whole run.
        sides: of base and candidate, [repeat][layer].
        earlier: [run][layer] of the runs before the base, the oldest first; the base's runs may be among them.
        allowances: by layer, or one for all.
        policy: how noise is judged.
        compared: how many figures are compared in all.
    """
    before, after = (_array(rows) for rows in sides)
    there = np.flatnonzero(~(np.isnan(before).all(axis=0) | np.isnan(after).all(axis=0)))
    if not len(there):
        return
    before, after = before[:, there], after[:, there]
    series = earlier[:, there] if len(earlier) else before[:1]
    noise = noise_of(series[-policy.window :], [before, after], policy.assumed / 100)
    repeats = (len(before), len(after))
    old, new = median_of(before), median_of(after)
    bands = noise.band(repeats, policy.false_alarms, compared) * np.maximum(np.abs(old), 1.0)
    chosen = [allowances[place if len(allowances) > 1 else 0] for place in map(int, there)]
    percent = np.array([allowance.percent for allowance in chosen])
    allowed = np.maximum(percent / 100 * np.abs(old), [allowance.absolute for allowance in chosen])
    beyond = np.abs(new - old) > np.maximum(allowed, bands)
    wide = noise.spread * 100 > policy.unstable if noise.freedom else np.zeros(len(there), bool)
    for index in map(int, np.flatnonzero(beyond | wide)):
        if not chosen[index].judged:
            continue
        base, cand = _number(old[index]), _number(new[index])
        limit = max(float(allowed[index]), float(bands[index]))
        change, note = change_of(figure, cand - base, limit), ""
        if change is Change.UNCHANGED:
            change, note = Change.UNSTABLE, f"scatters by {noise.spread[index] * 100:.1f} % from run to run"
        yield Delta(
            figure, names[there[index]], base, cand, change, float(allowed[index]), float(bands[index]), repeats, note
        )


def _array(rows: Rows) -> Values:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)


def _number(value: np.float64) -> Number:
    return int(value) if float(value).is_integer() else float(value)
