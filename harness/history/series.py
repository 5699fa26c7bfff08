"""Figures of whole runs over time, of all subjects at once: what trend lines are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.history.records import FigureKey, Number, RunSubject
from harness.history.store import HistoryStore

METRICS = ("time", "arena", "flash", "stack", "accuracy")
"""Metrics with trend lines, in this order."""

MOST_RUNS = 50_000
"""Runs that are read, the newest."""


class RunHead(NamedTuple):
    """A run without its figures.

    Attributes:
        number, bundle: in the store.
        at: seconds since 1970, UTC.
        revision: with "+" where files were changed; may be "".
        verdict: "pass", "fail" or "error".
        judged: what a comparison with the last good run said; "" for none.
    """

    number: int
    bundle: int
    at: float
    revision: str
    verdict: str
    judged: str


@dataclass(frozen=True)
class SubjectSeries:
    """The runs of a subject, the oldest first, and per figure a value for each, None where there is none."""

    subject: RunSubject
    runs: tuple[RunHead, ...]
    values: Mapping[FigureKey, Sequence[Number | None]]


def read_series(store: HistoryStore, most: int = MOST_RUNS) -> tuple[SubjectSeries, ...]:
    """The series of all subjects, of the newest runs.

    Raises:
        HistoryError: the store cannot be read.
    """
    heads: dict[int, list[RunHead]] = {}
    places: dict[int, tuple[int, int]] = {}
    rows = store.query(
        """SELECT r.subject, r.id, r.bundle, b.at, b.revision, b.dirty, r.verdict, coalesce(j.verdict, '')
        FROM runs r JOIN bundles b ON b.id = r.bundle LEFT JOIN judgements j ON j.run = r.id
        ORDER BY b.at DESC, r.id DESC LIMIT ?""",
        (most,),
    )
    for subject, number, bundle, at, revision, dirty, verdict, judged in reversed(rows):
        runs = heads.setdefault(subject, [])
        places[number] = subject, len(runs)
        runs.append(RunHead(number, bundle, at, f"{revision}+" if dirty else revision, verdict, judged))
    marks = json.dumps(METRICS)
    figures = {
        row[0]: FigureKey(row[1], row[2])
        for row in store.query(
            "SELECT id, metric, unit FROM figures WHERE metric IN (SELECT value FROM json_each(?))", (marks,)
        )
    }
    values: dict[int, dict[FigureKey, list[Number | None]]] = {}
    oldest = min(places, default=0)
    for run, figure, value in store.query(
        "SELECT run, figure, value FROM run_values WHERE run >= ? AND figure IN (SELECT value FROM json_each(?))",
        (oldest, json.dumps(list(figures))),
    ):
        if run in places:
            subject, place = places[run]
            of_subject = values.setdefault(subject, {})
            key = figures[figure]
            if key not in of_subject:
                of_subject[key] = [None] * len(heads[subject])
            of_subject[key][place] = value
    subjects = store.query("SELECT id, model, board, mode, runtime FROM subjects")
    names = {row[0]: RunSubject(*row[1:]) for row in subjects}
    return tuple(SubjectSeries(names[s], tuple(runs), values.get(s, {})) for s, runs in heads.items())


def layer_values(
    store: HistoryStore, series: SubjectSeries, figure: FigureKey, place: int
) -> list[Number | None]:
    """A layer's figure for each run of a subject; None for runs of another network than the newest that was measured.

    Raises:
        HistoryError: the store cannot be read.
    """
    numbers = {run.number: at for at, run in enumerate(series.runs)}
    found: list[Number | None] = [None] * len(series.runs)
    rows = store.query(
        """SELECT v.run, json_extract(v.numbers, ?) FROM layer_values v JOIN runs r ON r.id = v.run
        JOIN figures f ON f.id = v.figure WHERE f.metric = ? AND f.unit = ?
        AND v.run IN (SELECT value FROM json_each(?)) AND r.layout = (
            SELECT layout FROM runs WHERE id IN (SELECT value FROM json_each(?)) AND layout IS NOT NULL
            ORDER BY id DESC LIMIT 1)""",
        (f"$[{place}]", *figure, json.dumps(list(numbers)), json.dumps(list(numbers))),
    )
    for run, value in rows:
        found[numbers[run]] = value
    return found
