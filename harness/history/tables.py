"""Comparisons and histories as tables for the console, and as JSON-ready documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from harness.history.records import FigureKey, Number, StoredRun
from harness.history.verdicts import Change, Delta, RunComparison, SubjectComparison
from harness.history.words import amount, day, short, since, step, subject_line, summary_line, title
from harness.report.document import Document
from harness.report.table import ReportTable

_MOST = 20


def subjects_table(found: RunComparison) -> ReportTable:
    """A line for each model and board."""
    rows = tuple(
        (s.subject.model, s.subject.board, _how(s), s.change.value, since(s.base), subject_line(s))
        for s in found.subjects
    )
    title_ = f"{found.cand} compared with {found.base}: {summary_line(found)}"
    columns = ("model", "board", "how", "change", "base", "what")
    return ReportTable(title_, columns, rows, prose=frozenset({"what"}), drop=("base", "how"))


def deltas_table(found: SubjectComparison) -> ReportTable:
    """The figures of a subject that differ, the worst and largest first."""
    rows = tuple(_row(delta) for delta in found.deltas[:_MOST])
    notes = [f"{len(found.deltas) - _MOST:,} more figures differ; --json has all"] if len(found.deltas) > _MOST else []
    notes += [f"also changed: {'; '.join(found.causes)}"] if found.causes else []
    return ReportTable(
        str(found.subject),
        ("figure", "base", "now", "change", "verdict", "allowed", "noise", "note"),
        rows,
        right=frozenset({"base", "now", "change", "allowed", "noise"}),
        notes=tuple(notes),
        prose=frozenset({"note"}),
        drop=("note", "allowed", "noise"),
    )


def _row(delta: Delta) -> tuple[str, ...]:
    unit = delta.figure.unit
    return (
        title(delta.figure, delta.layer),
        amount(delta.base, unit),
        amount(delta.cand, unit),
        step(delta) or "-",
        delta.change.value,
        f"{delta.allowed:,.4g}" if delta.allowed else "-",
        f"{delta.noise:,.4g}" if delta.noise else "-",
        delta.note or "-",
    )


def _how(found: SubjectComparison) -> str:
    return " ".join(part for part in (found.subject.mode, found.subject.runtime) if part)


def comparison_document(found: RunComparison) -> Document:
    """A comparison as JSON-ready data."""
    return {
        "kind": "comparison",
        "base": found.base,
        "candidate": found.cand,
        "change": found.change.value,
        "fails": found.fails,
        "exit_code": found.exit_code,
        "counts": {change.value: found.count(change) for change in Change if found.count(change)},
        "subjects": [
            {
                **s.subject._asdict(),
                "change": s.change.value,
                "why": s.why,
                "base": [_run(run) for run in s.base],
                "candidate": [_run(run) for run in s.cand],
                "counts": {change.value: count for change, count in s.counts.items()},
                "causes": list(s.causes),
                "deltas": [delta_document(delta) for delta in s.deltas],
            }
            for s in found.subjects
        ],
    }


def delta_document(delta: Delta) -> Document:
    """A figure's change as JSON-ready data; every number is in `unit`, `share` is of the base."""
    return {
        "metric": delta.figure.metric,
        "unit": delta.figure.unit,
        "layer": delta.layer,
        "base": delta.base,
        "candidate": delta.cand,
        "difference": delta.difference,
        "share": delta.share,
        "change": delta.change.value,
        "allowed": delta.allowed,
        "noise": delta.noise,
        "repeats": list(delta.repeats),
        "note": delta.note,
    }


def _run(run: StoredRun) -> Document:
    return {"run": run.number or None, "revision": run.revision, "verdict": run.verdict, "at": run.at}


def runs_table(runs: Sequence[StoredRun], title_: str) -> ReportTable:
    """A line for each run, the newest first."""
    rows = tuple(
        (
            str(run.number),
            day(run.at),
            short(run.revision) or "-",
            run.session or "-",
            run.subject.model,
            run.subject.board,
            " ".join(part for part in (run.subject.mode, run.subject.runtime) if part) or "-",
            run.verdict,
            *(_first(run, metric) for metric in ("time", "arena", "flash", "outputs.max_lsb")),
        )
        for run in reversed(runs)
    )
    return ReportTable(
        title_,
        ("run", "when (UTC)", "revision", "session", "model", "board", "how", "verdict", "inference", "arena", "flash",
         "max LSB"),
        rows,
        right=frozenset({"run", "inference", "arena", "flash", "max LSB"}),
        drop=("session", "how", "flash", "max LSB"),
    )  # fmt: skip


def _first(run: StoredRun, metric: str) -> str:
    """A figure of a run; of several units the measured one stands first."""
    return next((amount(value, figure.unit) for figure, value in run.figures.items() if figure.metric == metric), "-")


def trend_table(runs: Sequence[StoredRun], title_: str) -> ReportTable:
    """A line for each run, the newest first, with each figure's step from the run of its subject before it."""
    before: dict[tuple[object, ...], Number] = {}
    rows = []
    for run in runs:
        cells = []
        for metric in ("time", "arena", "stack", "flash", "outputs.max_lsb"):
            figure = next((figure for figure in run.figures if figure.metric == metric), None)
            if figure is None:
                cells.append("-")
                continue
            value, old = run.figures[figure], before.get((run.subject, figure))
            told = "" if old is None or old == value else f" ({_moved(old, value)})"
            cells.append(f"{amount(value, figure.unit)}{told}")
            before[run.subject, figure] = value
        where = " ".join((run.subject.board, *(part for part in run.subject[2:] if part)))
        rows.append((str(run.number), day(run.at), short(run.revision) or "-", where, run.verdict, *cells))
    columns = ("run", "when (UTC)", "revision", "board", "verdict", "inference", "arena", "stack", "flash", "max LSB")
    right = frozenset({"run", "inference", "arena", "stack", "flash", "max LSB"})
    return ReportTable(title_, columns, tuple(reversed(rows)), right, drop=("stack", "flash", "max LSB"))


def _moved(old: Number, new: Number) -> str:
    return f"{(new - old) / abs(old):+.2%}" if old else f"{new - old:+,}"


def run_row(run: StoredRun) -> Document:
    """A run as JSON-ready data."""
    def named(figure: FigureKey) -> dict[str, Any]:
        return {"metric": figure.metric, "unit": figure.unit}

    return {
        "run": run.number,
        "bundle": run.bundle,
        "session": run.session,
        "at": run.at,
        "revision": run.revision,
        **run.subject._asdict(),
        "verdict": run.verdict,
        "why": run.why,
        "facts": dict(run.facts),
        "figures": [{**named(figure), "value": value} for figure, value in run.figures.items()],
        "layers": [asdict(line) for line in run.layout.lines],
        "layer_figures": [{**named(figure), "values": list(values)} for figure, values in run.layer_figures.items()],
    }
