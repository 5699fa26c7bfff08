"""Comparisons in words: one sentence a figure, one a subject, one for all."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.history.metrics import SHARE, metric_of
from harness.history.records import FigureKey, Number, StoredRun
from harness.history.verdicts import WORST_FIRST, Change, Delta, RunComparison, SubjectComparison
from harness.units import Unit

_UNITS = {Unit.BYTES.value: "B"}
_SHORT = 8


def amount(value: Number | None, unit: str) -> str:
    """A figure with its unit; a dash for None."""
    if value is None:
        return "-"
    if unit == SHARE:
        return f"{value:.2%}"
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    return f"{shown} {_UNITS.get(unit, unit)}"


def counted(count: int, what: str) -> str:
    """A number of things, such as "1 run" or "2,000 runs"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def step(delta: Delta) -> str:
    """The difference with its sign, and as a share of the base."""
    difference = delta.difference
    if difference is None:
        return ""
    unit = delta.figure.unit
    if unit == SHARE:
        return f"{difference * 100:+.2f} points"
    shown = f"{difference:+,}" if isinstance(difference, int) else f"{difference:+,.6g}"
    share = "" if delta.share is None else f", {delta.share:+.2%}"
    return f"{shown} {_UNITS.get(unit, unit)}{share}"


def title(figure: FigureKey, layer: str) -> str:
    """What a figure is, in words, with the layer's name."""
    told = metric_of(figure.metric).title if figure.metric != "verdict" else "checks"
    if not layer:
        return told
    return f"{layer}: {told.replace('time of an inference', 'time').replace(' of a layer', '')}"


def delta_line(delta: Delta) -> str:
    """One figure: "arena: 2,304 B -> 2,305 B (+1 B, +0.04%)"."""
    name, unit = title(delta.figure, delta.layer), delta.figure.unit
    if delta.base is None and delta.cand is None:
        return f"{name}: {delta.note}"
    if delta.cand is None:
        return f"{name}: {amount(delta.base, unit)} before, not there now"
    if delta.base is None:
        return f"{name}: {amount(delta.cand, unit)}, not there before"
    line = f"{name}: {amount(delta.base, unit)} -> {amount(delta.cand, unit)} ({step(delta)})"
    more = [f"noise up to {delta.noise:,.4g}"] if delta.noise else []
    more += [f"allowed {delta.allowed:,.4g}"] if delta.allowed else []
    more += [delta.note] if delta.note else []
    if max(delta.repeats) > 1:
        more.append(f"medians of {delta.repeats[0]} and {delta.repeats[1]}")
    return f"{line}; {', '.join(more)}" if more else line


def subject_line(found: SubjectComparison) -> str:
    """One subject: its word, and the first figure that it is for."""
    if not found.deltas:
        return found.why or "all figures as before"
    first = delta_line(found.deltas[0])
    count = len(found.deltas) - 1
    return f"{first}; and {count} more" if count else first


def summary_line(found: RunComparison) -> str:
    """All of them: "3 regressed, 40 unchanged"."""
    counts = [f"{found.count(change):,} {change.value}" for change in WORST_FIRST if found.count(change)]
    return ", ".join(counts) if counts else "nothing to compare"


def since(runs: tuple[StoredRun, ...]) -> str:
    """What the base was: its number, revision and day."""
    if not runs:
        return "none"
    run = runs[-1]
    parts = [f"run {run.number}"] if run.number else []
    parts += [short(run.revision)] if run.revision else []
    parts += [day(run.at)] if run.at else []
    return ", ".join(parts) or "given bundle"


def short(revision: str) -> str:
    """A git revision in short; with "+" where files were changed."""
    return revision[:_SHORT] + ("+" if revision.endswith("+") else "")


def day(at: float) -> str:
    """A day and time, UTC."""
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):
        return "?"


def largest(found: SubjectComparison, most: int = 20) -> tuple[Delta, ...]:
    """The deltas to show: the worst, then the largest."""
    return found.deltas[:most]


def is_bad(change: Change) -> bool:
    """Whether somebody should look at it."""
    return change in (Change.REGRESSED, Change.ERROR, Change.UNSTABLE)
