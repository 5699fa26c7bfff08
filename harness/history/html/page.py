"""The report over time: one HTML file of bounded size, whatever the number of runs.

All text of models, boards and revisions is escaped by the templates or by `svg.words`, as in harness.report.html.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from harness.files.writing import write_whole
from harness.history.html.parts import facts, layer_times, limits, main_figures, splits, watermarks
from harness.history.html.trends import sparkline, trends
from harness.history.metrics import metric_of
from harness.history.policy import Policy
from harness.history.reading import RunReader
from harness.history.records import FigureKey, Number, RunSubject
from harness.history.selection import LAST_GOOD, compare_runs
from harness.history.series import RunHead, SubjectSeries, layer_values, read_series
from harness.history.store import HistoryStore
from harness.history.tables import deltas_table
from harness.history.verdicts import Change, RunComparison, SubjectComparison
from harness.history.words import amount, counted, day, delta_line, short, since, step, subject_line, summary_line
from harness.report.html.templates import templates
from harness.report.table import ReportTable

MOST_BYTES = 2_800_000
"""Bytes of a page, which sections of subjects are left out for, those without a change first."""

_ROWS, _CARDS, _TOLD, _OPEN, _FULL = 2_500, 24, 60, 3, 40
_RECENT, _LAYER_TRENDS, _LAYERS = 12, 40, 4

LayerTrends: TypeAlias = dict[tuple[FigureKey, str], list[Number | None]]
"""By (figure, layer) a value for each run of a subject."""


@dataclass(frozen=True)
class _SubjectEntry:
    """A subject on the page."""

    index: int
    found: SubjectComparison
    series: SubjectSeries | None

    @property
    def verdict(self) -> str:
        """The word that its badge shows: that of the newest run, or what changed."""
        runs = self.found.cand
        word = runs[-1].verdict if runs else self.found.change.value
        if word == "pass" and self.found.change in (Change.REGRESSED, Change.UNSTABLE):
            return self.found.change.value
        return word


def write_page(store: HistoryStore, path: Path, policy: Policy | None = None) -> None:
    """Writes the report over time into a file; an older one stays until the new one is whole.

    Raises:
        HistoryError: the store cannot be read.
        OSError: the file cannot be written.
    """
    write_whole(path, history_page(store, policy).encode("utf-8", "backslashreplace").decode("utf-8"))


def history_page(store: HistoryStore, policy: Policy | None = None) -> str:
    """The report over time: the newest run of each subject against its last good one, and all runs as trends.

    Raises:
        HistoryError: the store cannot be read.
    """
    reader, all_series = RunReader(store), read_series(store)
    newest = reader.runs(series.runs[-1].number for series in all_series)
    chosen = policy or Policy()
    found = compare_runs(LAST_GOOD, newest, chosen, store, reader=reader, judge=False, cand_name="newest runs")
    by_subject = {series.subject: series for series in all_series}
    heads = [run for series in all_series for run in series.runs]
    return _page(found, by_subject, f"{counted(len(heads), 'run')} in {store.path.name}", store)


def comparison_page(found: RunComparison) -> str:
    """A comparison alone, without trends."""
    return _page(found, {}, f"{found.cand} compared with {found.base}", None)


def _page(
    found: RunComparison, series: dict[RunSubject, SubjectSeries], about: str, store: HistoryStore | None
) -> str:
    entries = [_SubjectEntry(index, one, series.get(one.subject)) for index, one in enumerate(found.subjects)]
    loud = [entry for entry in entries if entry.found.change is not Change.UNCHANGED or entry.verdict != "pass"]
    cards = entries if len(entries) <= _CARDS else loud[:_CARDS]
    content = {
        "title": "tinyhil history" if series else "tinyhil comparison",
        "word": found.change.value,
        "headline": summary_line(found),
        "about": about,
        "created": f"{day(time.time())} UTC",
        "told": [_told(entry) for entry in loud[:_TOLD]],
        "untold": max(len(loud) - _TOLD, 0),
        "cards": [_card(entry) for entry in cards],
        "rows": [_row(entry) for entry in entries[:_ROWS]],
        "rows_left": max(len(entries) - _ROWS, 0),
        "total": len(entries),
        "trends": bool(series),
        "linked": {entry.index for entry in entries},
        "bundle": _bundle(store) if store else None,
    }
    template = templates().get_template("history.html.j2")
    first = {entry.index for entry in loud}
    ordered = [*loud, *(entry for entry in entries if entry.index not in first)]
    room = MOST_BYTES - len(str(template.render(**content, sections=[], left=0)).encode("utf-8", "replace"))
    layers = {entry.index: _layer_trends(entry, store) for entry in loud[:_LAYER_TRENDS]} if store else {}
    sections = _sections(ordered, layers, room)
    content["linked"] = set(sections)
    made = template.render(**content, sections=list(sections.values()), left=len(entries) - len(sections))
    return str(made) + "\n"


def _layer_trends(entry: _SubjectEntry, store: HistoryStore) -> LayerTrends:
    """The layers of a subject that changed most, over all runs."""
    found: LayerTrends = {}
    if entry.series and entry.found.cand:
        names = entry.found.cand[-1].layout.names
        for delta in [d for d in entry.found.deltas if d.layer in names and d.change is not Change.MISSING][:_LAYERS]:
            values = layer_values(store, entry.series, delta.figure, names.index(delta.layer))
            if metric_of(delta.figure.metric).zero:
                runs = entry.series.runs
                values = [None if run.verdict == "error" else v or 0 for v, run in zip(values, runs, strict=True)]
            found[delta.figure, delta.layer] = values
    return found


def _sections(entries: Iterable[_SubjectEntry], layers: Mapping[int, LayerTrends], room: int) -> dict[int, Any]:
    """By the subject's index its section, of as many as there is room for, in bytes."""
    macros: Any = templates().get_template("subject.html.j2").module
    made: dict[int, Any] = {}
    for place, entry in enumerate(entries):
        content = _section(entry, layers.get(entry.index, {}), brief=place >= _FULL)
        section = macros.section(content, place >= _OPEN)
        room -= len(str(section).encode("utf-8", "replace"))
        if room < 0:
            break
        made[entry.index] = section
    return made


def _told(entry: _SubjectEntry) -> dict[str, Any]:
    """What changed of a subject, in words."""
    found = entry.found
    first = _first_after(entry)
    came = f"first in run {first.number}, {short(first.revision) or 'no revision'}, {day(first.at)}" if first else ""
    lines = [delta_line(delta) for delta in found.deltas[:4]]
    if len(found.deltas) > len(lines):
        lines.append(f"and {len(found.deltas) - len(lines):,} more figures")
    return {
        "index": entry.index,
        "subject": str(found.subject),
        "word": found.change.value if found.change is not Change.UNCHANGED else entry.verdict,
        "lines": lines or [found.why or subject_line(found)],
        "since": since(found.base) if found.base else "",
        "first": came,
        "causes": "; ".join(found.causes),
    }


def _first_after(entry: _SubjectEntry) -> RunHead | None:
    """The first run after the last good one, which the change came with."""
    if not entry.series or not entry.found.base or not entry.found.deltas:
        return None
    base = entry.found.base[-1].number
    numbers = [run.number for run in entry.series.runs]
    place = numbers.index(base) + 1 if base in numbers else len(numbers)
    return entry.series.runs[place] if place < len(numbers) else None


def _card(entry: _SubjectEntry) -> dict[str, Any]:
    found = entry.found
    run, base = (runs[-1] if runs else None for runs in (found.cand, found.base))
    measured = run is not None and run.verdict != "error"
    why = subject_line(found) if found.change is not Change.UNCHANGED else (run.why if run else found.why)
    return {
        "index": entry.index,
        "model": found.subject.model,
        "board": _where(found.subject),
        "word": entry.verdict,
        "kind": {"regressed": "fail", "unstable": "error", "missing": "error"}.get(entry.verdict, entry.verdict),
        "why": why if entry.verdict != "pass" or found.change is not Change.UNCHANGED else "",
        "figures": main_figures(run, base) if run and measured else [],
        "gauges": watermarks(run)[:3] if run and measured else [],
    }


def _where(subject: RunSubject) -> str:
    how = ", ".join(part for part in (subject.mode, subject.runtime) if part)
    return f"{subject.board} ({how})" if how else subject.board


def _row(entry: _SubjectEntry) -> dict[str, Any]:
    found = entry.found
    run = found.cand[-1] if found.cand else None
    cells = []
    for metric in ("time", "arena", "flash"):
        figure = next((f for f in (run.figures if run else ()) if f.metric == metric), None)
        delta = next((d for d in found.deltas if d.figure == figure and not d.layer), None)
        value = amount(run.figures[figure], figure.unit) if run and figure else "-"
        cells.append((value, step(delta) if delta else ""))
    return {
        "index": entry.index,
        "model": found.subject.model,
        "where": _where(found.subject),
        "word": entry.verdict,
        "change": found.change.value,
        "spark": sparkline(entry.series) if entry.series else "",
        "cells": cells,
        "when": day(run.at) if run and run.at else "-",
        "revision": short(run.revision) if run else "",
    }


def _section(entry: _SubjectEntry, layers: LayerTrends, *, brief: bool) -> dict[str, Any]:
    """What the section of a subject shows; a brief one has only the layers that changed most, and no list of runs."""
    found = entry.found
    run, base = (runs[-1] if runs else None for runs in (found.cand, found.base))
    measured = run is not None and run.verdict != "error"
    budgets = limits(run) if run and measured else {}
    return {
        "index": entry.index,
        "title": str(found.subject),
        "word": entry.verdict,
        "change": found.change.value,
        "why": subject_line(found),
        "trends": trends(entry.series, budgets, layers, brief=brief) if entry.series else [],
        "deltas": deltas_table(found) if found.deltas else None,
        "layers": layer_times(found, brief=brief) if measured else [],
        "splits": splits(run, base) if run and measured else [],
        "gauges": watermarks(run) if run and measured else [],
        "facts": facts(run, base) if run else None,
        "runs": _recent(entry.series) if entry.series and not brief else None,
    }


def _recent(series: SubjectSeries) -> ReportTable:
    """The newest runs of a subject."""
    figures = list(series.values)[:4]
    places = range(len(series.runs) - 1, max(-1, len(series.runs) - 1 - _RECENT), -1)
    rows = []
    for place in places:
        run = series.runs[place]
        values = (amount(series.values[figure][place], figure.unit) for figure in figures)
        rows.append((str(run.number), day(run.at), short(run.revision) or "-", run.verdict, run.judged or "-", *values))
    columns = ("run", "when (UTC)", "revision", "verdict", "compared", *(f"{f.metric}, {f.unit}" for f in figures))
    return ReportTable("Newest runs", columns, tuple(rows), frozenset({"run", *columns[5:]}))


def _bundle(store: HistoryStore) -> dict[str, Any] | None:
    """Where and with what the newest results were made."""
    rows = store.query(
        "SELECT tools, environment, command, revision, dirty, branch, session, at FROM bundles ORDER BY at DESC LIMIT 1"
    )
    if not rows:
        return None
    tools, environment, command, revision, dirty, branch, session, at = rows[0]
    known = json.loads(environment)
    facts_ = [
        ("made", f"{day(at)} UTC"), ("session", session), ("revision", f"{revision}{' + changes' if dirty else ''}"),
        ("branch", branch), ("machine", known.get("machine", "")), ("CI job", known.get("ci", "")),
        ("command", command),
    ]  # fmt: skip
    return {
        "facts": [(name, text) for name, text in facts_ if text],
        "tools": ReportTable("", ("tool", "version"), tuple((k, str(v)) for k, v in json.loads(tools).items())),
    }
