"""Reads runs out of a store: by number, by bundle, by revision, the last good ones, and those before a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from harness.errors import SelectionError
from harness.history.records import FigureKey, NetworkLayout, Number, RunSubject, StoredRun
from harness.history.store import HistoryStore

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
        self._recent: dict[tuple[RunSubject, int], tuple[StoredRun, ...]] = {}

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

    def recent(self, run: StoredRun, limit: int = 40) -> tuple[StoredRun, ...]:
        """Up to `limit` runs of the subject that passed, up to this run, the oldest first."""
        key = (run.subject, run.number)
        if key not in self._recent:
            found = self._store.query(
                """SELECT r.id FROM runs r JOIN bundles b ON b.id = r.bundle JOIN subjects s ON s.id = r.subject
                WHERE s.model = ? AND s.board = ? AND s.mode = ? AND s.runtime = ? AND r.verdict = 'pass'
                AND (b.at, r.id) <= (?, ?) ORDER BY b.at DESC, r.id DESC LIMIT ?""",
                (*run.subject, run.at, run.number, limit),
            )
            self._recent[key] = self.runs(row[0] for row in found)
        return self._recent[key]
