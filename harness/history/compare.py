"""Compares runs with earlier ones of the same subject: figure by figure of one unit, layer by layer.

An exact figure (instructions, bytes, LSB, modelled cycles) is compared as it is. A measured one (cycles, ns, energy)
is compared by the medians of repeats, and changes only where they differ by more than the allowance and the noise.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from harness.history.layers import LayerPairs, pair_layers
from harness.history.measured import measured_deltas
from harness.history.metrics import is_measured, metric_of
from harness.history.noise import Values
from harness.history.policy import AllowedChange, AllowedChanges, Policy
from harness.history.records import FigureKey, Number, RunSubject, StoredRun
from harness.history.verdicts import WORST_FIRST, Change, Delta, RunComparison, SubjectComparison, change_of, worst


class Recent(Protocol):
    """Figures of the runs of a subject up to a run, the oldest first."""

    def totals(self, run: StoredRun, figure: FigureKey) -> Sequence[Number]:
        """A figure of the whole runs."""

    def layers(self, run: StoredRun, figure: FigureKey) -> Values:
        """[run][layer] of the runs with the network of this one; NaN where there is no value."""


_CAUSES = {
    "model_sha256": "model",
    "toolchain": "compiler",
    "tinyhil": "tinyhil",
    "oracle": "oracle",
    "vectors": "vectors",
    "core": "core",
    "clock_hz": "clock",
    "place": "board",
    "backend": "backend",
}
"""Facts of runs that explain differences, and what they are called."""


def compare(
    base: Mapping[RunSubject, Sequence[StoredRun]],
    cand: Sequence[StoredRun],
    policy: Policy | None = None,
    *,
    recent: Recent | None = None,
    names: tuple[str, str] = ("base", "candidate"),
) -> RunComparison:
    """Compares runs.

    Args:
        base: by subject, the runs to compare with; several of one subject are repeats.
        cand: the runs to judge.
        policy: what is allowed; None for the defaults.
        recent: earlier runs, which tell the noise of measured figures; None: only repeats do.
        names: what both sides are called.
    """
    policy = policy or Policy()
    groups: dict[RunSubject, list[StoredRun]] = {}
    for run in cand:
        groups.setdefault(run.subject, []).append(run)
    compared = sum(_measured_figures(runs[-1]) for runs in groups.values())
    subjects = [
        _compare_subject(subject, tuple(base.get(subject, ())), tuple(runs), policy, recent, compared)
        for subject, runs in groups.items()
    ]
    subjects += [
        SubjectComparison(subject, tuple(runs), (), Change.MISSING, why="the candidate has no run of it")
        for subject, runs in base.items()
        if subject not in groups and runs
    ]
    subjects.sort(key=lambda found: (WORST_FIRST.index(found.change), found.subject))
    return RunComparison(*names, tuple(subjects), any(_fails(found, policy) for found in subjects))


def _measured_figures(run: StoredRun) -> int:
    """How many figures of a run are measured, those of layers included."""
    layers = sum(len(values) for figure, values in run.layer_figures.items() if is_measured(figure))
    return layers + sum(map(is_measured, run.figures))


def _fails(found: SubjectComparison, policy: Policy) -> bool:
    return (
        found.change is Change.REGRESSED
        or (policy.missing == "fail" and Change.MISSING in (found.change, *found.counts))
        or (policy.unstable == "fail" and Change.UNSTABLE in (found.change, *found.counts))
    )


def _compare_subject(
    subject: RunSubject,
    base: tuple[StoredRun, ...],
    cand: tuple[StoredRun, ...],
    policy: Policy,
    recent: Recent | None,
    compared: int,
) -> SubjectComparison:
    ran = tuple(run for run in cand if run.verdict != "error")
    if not ran:
        return SubjectComparison(subject, base, cand, Change.ERROR, why=cand[-1].why)
    before = tuple(run for run in base if run.verdict != "error")
    if not before:
        why = "no earlier run to compare with" if not base else "the base was not measured"
        return SubjectComparison(subject, base, cand, Change.NEW, why=why)
    found = list(_verdicts(before, ran))
    found += _run_deltas(subject, before, ran, policy, recent, compared)
    found += _layer_deltas(subject, before, ran, policy, recent, compared)
    counts = Counter(delta.change for delta in found)
    shown = sorted((d for d in found if d.change is not Change.UNCHANGED), key=_importance)
    judged: list[Change] = [d.change for d in shown if d.change not in (Change.NEW, Change.MISSING)]
    return SubjectComparison(
        subject, base, cand, worst(judged), tuple(shown), counts, tuple(_causes(before[-1], ran[-1])), ran[-1].why
    )


def _importance(delta: Delta) -> tuple[int, bool, float, str]:
    """Sorts the worst first, the whole run before its layers, large changes before small ones."""
    return WORST_FIRST.index(delta.change), bool(delta.layer), -abs(delta.share or 0.0), delta.layer


def _verdicts(base: Sequence[StoredRun], cand: Sequence[StoredRun]) -> Iterator[Delta]:
    """The checks of the cards: a run that passed and now fails has regressed."""
    before, after = ({run.verdict for run in runs} for runs in (base, cand))
    figure = FigureKey("verdict", "checks")
    why = next((run.why for run in cand if run.verdict == "fail"), "")
    if len(after) > 1:
        yield Delta(figure, "", None, None, Change.UNSTABLE, note=f"passed and failed: {why}")
    elif after == {"fail"} and "pass" in before:
        yield Delta(figure, "", None, None, Change.REGRESSED, note=f"passed before; {why}")
    elif after == {"pass"} and before == {"fail"}:
        yield Delta(figure, "", None, None, Change.IMPROVED, note="failed before")


def _values(runs: Sequence[StoredRun], figure: FigureKey) -> list[Number]:
    """All measurements of a figure."""
    found: list[Number] = []
    for run in runs:
        if figure in run.samples:
            found += run.samples[figure]
        elif figure in run.figures:
            found.append(run.figures[figure])
    return found


def _run_deltas(
    subject: RunSubject,
    base: Sequence[StoredRun],
    cand: Sequence[StoredRun],
    policy: Policy,
    recent: Recent | None,
    compared: int,
) -> Iterator[Delta]:
    """The figures of the whole run."""
    figures = dict.fromkeys(figure for run in (*base, *cand) for figure in run.figures)
    for figure in figures:
        before, after = _values(base, figure), _values(cand, figure)
        allowance = policy.allowances(subject, figure).of(None)
        if not before or not after:
            if allowance.judged:
                yield _one_sided(figure, "", before, after)
        elif is_measured(figure):
            earlier = recent.totals(base[-1], figure) if recent else ()
            sides = [[[value] for value in before], [[value] for value in after]]
            series = np.array([earlier], dtype=np.float64).T
            yield from measured_deltas(figure, [""], sides, series, [allowance], policy.noise, compared)
        else:
            yield exact_delta(figure, "", before, after, allowance)


def exact_delta(
    figure: FigureKey, layer: str, before: Sequence[Number], after: Sequence[Number], allowance: AllowedChange
) -> Delta:
    """The change of an exact figure; its repeats are all alike, or it is unstable."""
    old, new = statistics.median(before), statistics.median(after)
    allowed = allowance.of(old)
    repeats = (len(before), len(after))
    if not allowance.judged:
        return Delta(figure, layer, old, new, Change.UNCHANGED, allowed, 0.0, repeats)
    if min(after) != max(after):
        note = f"exact, and yet {min(after):,} to {max(after):,} in repeats"
        return Delta(figure, layer, old, new, Change.UNSTABLE, allowed, 0.0, repeats, note)
    return Delta(figure, layer, old, new, change_of(figure, new - old, allowed), allowed, 0.0, repeats)


def _one_sided(figure: FigureKey, layer: str, before: Sequence[Number], after: Sequence[Number]) -> Delta:
    old = statistics.median(before) if before else None
    new = statistics.median(after) if after else None
    change = Change.NEW if old is None else Change.MISSING
    return Delta(figure, layer, old, new, change, repeats=(len(before), len(after)))


def _layer_deltas(
    subject: RunSubject,
    base: Sequence[StoredRun],
    cand: Sequence[StoredRun],
    policy: Policy,
    recent: Recent | None,
    compared: int,
) -> Iterator[Delta]:
    """The figures of layers; only of the runs whose network is that of the last one on its side."""
    befores = [run for run in base if run.layout == base[-1].layout]
    afters = [run for run in cand if run.layout == cand[-1].layout]
    figures = dict.fromkeys(figure for run in (*befores, *afters) for figure in run.layer_figures)
    pairs = None
    for figure in figures:
        allowances = policy.allowances(subject, figure)
        zero = metric_of(figure.metric).zero
        sides = [_rows(befores, figure, zero), _rows(afters, figure, zero)]
        if not is_measured(figure) and sides[0][:1] == sides[1] and befores[-1].layout == afters[-1].layout:
            continue  # as nearly always: nothing changed
        pairs = pairs or pair_layers(befores[-1], afters[-1])
        yield from _one_sided_layers(figure, sides, pairs, allowances)
        befores_, afters_ = _at(sides[0], pairs.base), _at(sides[1], pairs.cand)
        if not (befores_ and afters_):
            continue
        allowed = _allowed(allowances, pairs.names)
        if is_measured(figure):
            earlier = recent.layers(befores[-1], figure) if recent else np.empty((0, len(sides[0][0])))
            rows = earlier[:, list(pairs.base)]
            yield from measured_deltas(figure, pairs.names, [befores_, afters_], rows, allowed, policy.noise, compared)
        else:
            yield from _exact_layers(figure, pairs.names, befores_, afters_, allowed)


def _exact_layers(
    figure: FigureKey,
    names: Sequence[str],
    befores: Sequence[Sequence[Number | None]],
    afters: Sequence[Sequence[Number | None]],
    allowances: Sequence[AllowedChange],
) -> Iterator[Delta]:
    differing: set[int] = set()
    for row in afters:
        differing.update(index for index, (old, new) in enumerate(zip(befores[-1], row, strict=True)) if old != new)
    for index in sorted(differing):
        before = [value for row in befores if (value := row[index]) is not None]
        after = [value for row in afters if (value := row[index]) is not None]
        if before and after:
            allowance = allowances[index if len(allowances) > 1 else 0]
            yield exact_delta(figure, names[index], before, after, allowance)


def _rows(runs: Sequence[StoredRun], figure: FigureKey, zero: bool) -> list[tuple[Number | None, ...]]:
    """[run][layer]; with `zero`, a layer without a value has 0."""
    found = []
    for run in runs:
        row = run.layer_figures.get(figure)
        if zero:
            row = tuple(value or 0 for value in row) if row else (0,) * len(run.layout.lines)
        if row:
            found.append(row)
    return found


def _at(rows: Sequence[Sequence[Number | None]], places: Sequence[int]) -> Sequence[Sequence[Number | None]]:
    """The values of some layers, in this order."""
    if not rows or places == tuple(range(len(rows[0]))):
        return rows
    return [[row[place] for place in places] for row in rows]


def _allowed(allowances: AllowedChanges, names: Sequence[str]) -> Sequence[AllowedChange]:
    """By layer, or one for all where the names of layers do not matter."""
    if not allowances.by_layer:
        return [allowances.of("")]
    return [allowances.of(name) for name in names]


def _one_sided_layers(
    figure: FigureKey, sides: Sequence[Sequence[Sequence[Number | None]]], pairs: LayerPairs, allowances: AllowedChanges
) -> Iterator[Delta]:
    """Layers that only one side has."""
    for rows, alone, old in ((sides[0], pairs.only_base, True), (sides[1], pairs.only_cand, False)):
        for index, name in alone:
            values = [value for row in rows if (value := row[index]) is not None]
            if values and any(values) and allowances.of(name).judged:
                yield _one_sided(figure, name, values if old else [], [] if old else values)


def _causes(base: StoredRun, cand: StoredRun) -> Iterable[str]:
    """What else differs, in words."""
    for fact, name in _CAUSES.items():
        before, after = (run.facts.get(fact, "") for run in (base, cand))
        if before != after and (before or after):
            shown = 12 if fact in ("model_sha256", "vectors") else None
            old, new = (str(value)[:shown] for value in (before, after))
            yield f"{name} {old or 'none'} -> {new or 'none'}"
