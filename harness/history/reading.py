"""Reads runs out of a store: by number, by bundle, by revision, the last good ones, and those before a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import SelectionError
from harness.history.records import FigureKey, NetworkLayout, Number, RunSubject, StoredRun
from harness.history.store import HistoryStore

if TYPE_CHECKING:
    from harness.history.noise import Values

_HEAD = """SELECT r.id, r.bundle, s.model, s.board, s.mode, s.runtime, r.verdict, r.why, r.facts, r.layout, b.at,
    b.revision, b.dirty, b.session, b.tools
    FROM runs r JOIN bundles b ON b.id = r.bundle JOIN subjects s ON s.id = r.subject"""

_GOOD = """r.verdict = 'pass' AND (j.verdict IS NULL OR j.verdict <> 'regressed') OR j.verdict = 'accepted'"""


class RunReader:
    """Reads from one store; keeps what many runs share."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._figures: dict[int, FigureKey] = {}
        self._layouts: dict[int, NetworkLayout] = {}

    def runs(self, numbers: Iterable[int]) -> tuple[StoredRun, ...]:
        """The runs of these numbers with all figures, the oldest first."""
        wanted = json.dumps(sorted(set(numbers)))
        heads = self._store.query(
            f"{_HEAD} WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY b.at, r.id", (wanted,)
        )
        values: dict[int, dict[FigureKey, Number]] = {}
        samples: dict[int, dict[FigureKey, tuple[Number, ...]]] = {}
        for run, figure, value, several in self._store.query(
            "SELECT run, figure, value, samples FROM run_values WHERE run IN (SELECT value FROM json_each(?))",
            (wanted,),
        ):
            values.setdefault(run, {})[self._figure(figure)] = value
            if several:
                samples.setdefault(run, {})[self._figure(figure)] = tuple(json.loads(several))
        layers: dict[int, dict[FigureKey, tuple[Number | None, ...]]] = {}
        for run, figure, numbers_ in self._store.query(
            "SELECT run, figure, numbers FROM layer_values WHERE run IN (SELECT value FROM json_each(?))", (wanted,)
        ):
            layers.setdefault(run, {})[self._figure(figure)] = tuple(json.loads(numbers_))
        self._load_layouts({row[9] for row in heads if row[9] is not None})
        return tuple(
            self._run(row, values.get(row[0], {}), samples.get(row[0], {}), layers.get(row[0], {})) for row in heads
        )

    def _run(self, row: Sequence[Any], figures: Any, samples: Any, layers: Any) -> StoredRun:
        number, bundle, *subject, verdict, why, facts, layout, at, revision, dirty, session, tools = row
        return StoredRun(
            subject=RunSubject(*subject),
            verdict=verdict,
            why=why,
            facts={**json.loads(facts), "tinyhil": json.loads(tools).get("tinyhil", "")},
            figures=figures,
            samples=samples,
            layout=self._layouts[layout] if layout is not None else NetworkLayout(),
            layer_figures=layers,
            number=number,
            bundle=bundle,
            at=at,
            revision=f"{revision}+" if dirty else revision,
            session=session,
        )

    def _figure(self, number: int) -> FigureKey:
        if number not in self._figures:
            self._figures = {
                row[0]: FigureKey(*row[1:]) for row in self._store.query("SELECT id, metric, unit FROM figures")
            }
        return self._figures[number]

    def _load_layouts(self, numbers: set[int]) -> None:
        wanted = json.dumps(sorted(numbers - self._layouts.keys()))
        for number, text in self._store.query(
            "SELECT id, layers FROM layouts WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
        ):
            self._layouts[number] = NetworkLayout(text)

    def of_bundle(self, bundle: int) -> tuple[StoredRun, ...]:
        """All runs of a bundle of the store; none where there is no such bundle."""
        return self.runs(row[0] for row in self._store.query("SELECT id FROM runs WHERE bundle = ?", (bundle,)))

    def of_session(self, session: str) -> tuple[StoredRun, ...]:
        """All runs of a session; none where there is no such session."""
        rows = self._store.query(
            "SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle WHERE b.session = ? AND ? <> ''",
            (session, session),
        )
        return self.runs(row[0] for row in rows)

    def of_revision(self, revision: str) -> tuple[StoredRun, ...]:
        """The newest runs of each subject at a revision, by the beginning of its hash.

        Raises:
            SelectionError: several revisions begin so.
        """
        if not revision:
            return ()
        rows = self._store.query(
            """SELECT r.id, r.subject, b.id, b.session, b.revision FROM runs r JOIN bundles b ON b.id = r.bundle
            WHERE substr(b.revision, 1, ?) = ? ORDER BY b.at DESC, r.id DESC""",
            (len(revision), revision),
        )
        found = {row[4] for row in rows}
        if len(found) > 1:
            raise SelectionError(
                f"'{revision}': {len(found)} revisions begin so: {', '.join(sorted(found)[:4])}", hint="give more of it"
            )
        newest: dict[int, tuple[int, str]] = {}
        numbers = []
        for run, subject, bundle, session, _ in rows:
            if newest.setdefault(subject, (bundle, session)) == (bundle, session) or (
                session and newest[subject][1] == session
            ):
                numbers.append(run)
        return self.runs(numbers)

    def newest(
        self, limit: int, *, model: str | None = None, board: str | None = None, session: str | None = None
    ) -> tuple[StoredRun, ...]:
        """The newest runs, the oldest of them first; None for any."""
        rows = self._store.query(
            """SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle JOIN subjects s ON s.id = r.subject
            WHERE (? IS NULL OR s.model = ?) AND (? IS NULL OR s.board = ?) AND (? IS NULL OR b.session = ?)
            ORDER BY b.at DESC, r.id DESC LIMIT ?""",
            (model, model, board, board, session, session, limit),
        )
        return self.runs(row[0] for row in rows)

    def count(self) -> int:
        """How many runs there are."""
        return int(self._store.query("SELECT count(*) FROM runs")[0][0])

    def last(self) -> tuple[StoredRun, ...]:
        """The runs of the newest session, or of the newest bundle where that has none."""
        rows = self._store.query("SELECT id, session FROM bundles ORDER BY at DESC, id DESC LIMIT 1")
        if not rows:
            return ()
        return self.of_session(rows[0][1]) or self.of_bundle(rows[0][0])

    def last_good(self, cand: Sequence[StoredRun]) -> dict[RunSubject, tuple[StoredRun, ...]]:
        """By subject of the candidates, the runs of the newest bundle or session before them that was good.

        Good is what passed and was not judged as regressed, and what was accepted. A candidate that is not in the store
        is compared with the newest of all.
        """
        numbers: dict[RunSubject, int] = {}
        inside = json.dumps(sorted({run.number for run in cand}))
        for subject in dict.fromkeys(run.subject for run in cand):
            runs = [run for run in cand if run.subject == subject]
            first = min(((run.at, run.number) for run in runs if run.number), default=None)
            before = "" if first is None else "AND (b.at, r.id) < (?, ?)"
            found = self._store.query(
                f"""SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle
                JOIN subjects s ON s.id = r.subject LEFT JOIN judgements j ON j.run = r.id
                WHERE s.model = ? AND s.board = ? AND s.mode = ? AND s.runtime = ? AND ({_GOOD})
                AND r.id NOT IN (SELECT value FROM json_each(?)) {before}
                ORDER BY b.at DESC, r.id DESC LIMIT 1""",
                (*subject, inside, *(first or ())),
            )
            if found:
                numbers[subject] = found[0][0]
        found_runs = self.runs(numbers.values())
        return {run.subject: self.repeats(run) for run in found_runs}

    def repeats(self, run: StoredRun) -> tuple[StoredRun, ...]:
        """The run and its repeats: of its subject, in its bundle or session, and good as it is."""
        same = "b.session = ?" if run.session else "b.id = ?"
        found = self._store.query(
            f"""SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle JOIN subjects s ON s.id = r.subject
            LEFT JOIN judgements j ON j.run = r.id
            WHERE {same} AND s.model = ? AND s.board = ? AND s.mode = ? AND s.runtime = ? AND ({_GOOD})""",
            (run.session or run.bundle, *run.subject),
        )
        return (run,) if len(found) < 2 else self.runs(row[0] for row in found)


class RecentRuns:
    """Figures of the runs of a subject that passed, up to a run of the store, the oldest first; see compare.Recent."""

    def __init__(self, store: HistoryStore, limit: int) -> None:
        """limit: how many runs at most."""
        self._store = store
        self._limit = limit
        self._numbers: dict[int, str] = {}

    def totals(self, run: StoredRun, figure: FigureKey) -> list[Number]:
        """A figure of the whole runs."""
        rows = self._store.query(
            """SELECT v.value FROM json_each(?) n JOIN figures f
            JOIN run_values v ON v.run = n.value AND v.figure = f.id
            WHERE f.metric = ? AND f.unit = ? ORDER BY n.key""",
            (self._window(run), *figure),
        )
        return [row[0] for row in rows]

    def layers(self, run: StoredRun, figure: FigureKey) -> Values:
        """[run][layer] of the runs with the network of this one; NaN where there is no value."""
        rows = self._store.query(
            """SELECT v.numbers FROM json_each(?) n JOIN figures f
            JOIN layer_values v ON v.run = n.value AND v.figure = f.id JOIN runs r ON r.id = n.value
            WHERE f.metric = ? AND f.unit = ? AND r.layout = (SELECT layout FROM runs WHERE id = ?) ORDER BY n.key""",
            (self._window(run), *figure, run.number),
        )
        found = [_numbers(row[0]) for row in rows]
        return np.array(found) if found else np.empty((0, len(run.layout.lines)))

    def _window(self, run: StoredRun) -> str:
        """Numbers of the runs, as JSON."""
        if run.number not in self._numbers:
            rows = self._store.query(
                """SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle JOIN subjects s ON s.id = r.subject
                WHERE s.model = ? AND s.board = ? AND s.mode = ? AND s.runtime = ? AND r.verdict = 'pass'
                AND (b.at, r.id) <= (?, ?) ORDER BY b.at DESC, r.id DESC LIMIT ?""",
                (*run.subject, run.at, run.number, self._limit if run.number else 0),
            )
            self._numbers[run.number] = json.dumps([row[0] for row in reversed(rows)])
        return self._numbers[run.number]


def _numbers(text: str) -> Values:
    """A JSON list of numbers and nulls; by numpy where it can, as there are millions of them."""
    if "n" not in text:
        return np.fromstring(text[1:-1], sep=",")
    return np.array([np.nan if value is None else value for value in json.loads(text)], dtype=np.float64)
