"""The journal of a night: its jobs, who runs them, and what came of them. One SQLite file, written job by job.

A job's result is first written whole into a file of its own, then recorded: whenever the night is ended, by whatever,
each job is either recorded with a whole result, or is run again. A claim has a number; a result is recorded only under
the number of the job's last claim, so that a worker that was given up cannot answer a second time.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from harness.errors import NightError
from harness.files.reading import read_regular
from harness.files.writing import write_whole
from harness.nightly.jobs import Batch, job_keys

JOURNAL, RESULTS = "night.db", "results"
_WAIT_S = 60.0
_MAX_BYTES = 256 << 20
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS night (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS batches (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL, board TEXT NOT NULL,
        mode TEXT NOT NULL, runtime TEXT NOT NULL, form TEXT NOT NULL,
        phase INTEGER NOT NULL, avoid TEXT NOT NULL, prefer TEXT NOT NULL,
        pending INTEGER NOT NULL, running INTEGER NOT NULL, owner TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS jobs (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, batch INTEGER NOT NULL REFERENCES batches,
        state TEXT NOT NULL, claim INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
        worker TEXT NOT NULL DEFAULT '', place TEXT NOT NULL DEFAULT '', started REAL, ended REAL,
        verdict TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX IF NOT EXISTS jobs_batch ON jobs (batch, state)",
    "CREATE INDEX IF NOT EXISTS jobs_claim ON jobs (claim)",
    "CREATE INDEX IF NOT EXISTS batches_open ON batches (board, phase, pending)",
    """CREATE TABLE IF NOT EXISTS leases (
        id INTEGER PRIMARY KEY, place TEXT NOT NULL, worker TEXT NOT NULL, taken REAL NOT NULL, given REAL)""",
)


@dataclass(frozen=True)
class NightJob:
    """A claimed job.

    Attributes:
        id, key: its number and name.
        claim: the number under which its result is recorded.
        batch: number of its batch.
        model, path, board, mode, runtime, form: what is run.
        avoid, prefer: a place of the farm that it must not, or should, run on; "" for any.
        attempts: claims so far, this one included.
    """

    id: int
    key: str
    claim: int
    batch: int
    model: str
    path: str
    board: str
    mode: str
    runtime: str
    form: str
    avoid: str
    prefer: str
    attempts: int


@dataclass(frozen=True)
class Done:
    """A job that is recorded.

    Attributes:
        key: the job's.
        batch: the batch's key.
        model, board, mode, runtime, form: what was run.
        phase: 0 for the jobs of farm.yaml, 1 and 2 for the runs of suspects.
        place: the board of the farm that it ran on; "" where it never ran.
        attempts: how often it was begun.
        seconds: that the last attempt took.
        verdict: "pass", "fail" or "error".
    """

    key: str
    batch: str
    model: str
    board: str
    mode: str
    runtime: str
    form: str
    phase: int
    place: str
    attempts: int
    seconds: float
    verdict: str


class Journal:
    """An open journal in the folder of a night; each process opens its own."""

    def __init__(self, folder: Path) -> None:
        """Raises NightError if it cannot be opened or made, or is damaged."""
        self.folder = folder
        self._path = folder / JOURNAL
        with self._told():
            (folder / RESULTS).mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            for statement in _SCHEMA:
                self._db.execute(statement)
            if not any(column[1] == "form" for column in self._db.execute("PRAGMA table_info(batches)")):
                self._db.execute("ALTER TABLE batches ADD COLUMN form TEXT NOT NULL DEFAULT 'static'")  # of before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes it; may be called again."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise NightError(
                f"{self._path}: {error}", hint="is its disk full or read-only? Another folder begins anew: --folder DIR"
            ) from error
        except OSError as error:
            raise NightError(
                f"{self.folder}: {error.strerror or error}", hint="name a folder that you may write to with --folder"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # --- the night ---

    def begin(self, digest: str, facts: dict[str, Any], batches: Sequence[Batch]) -> dict[str, Any]:
        """Begins a night, or goes on with one that was begun; its facts.

        Args:
            digest: of what is to be run.
            facts: kept at the beginning, JSON-ready.
            batches: of the night.

        Raises:
            NightError: the folder has a night of other jobs.
        """
        with self._transaction() as db:
            known = dict(db.execute("SELECT key, value FROM night"))
            if not known:
                db.execute("INSERT INTO night VALUES ('digest', ?), ('facts', ?)", (digest, json.dumps(facts)))
                for batch in batches:
                    self._insert(db, batch, 0, "", "", tuple(job_keys(batch)))
                return facts
        if known.get("digest") != digest:
            raise NightError(
                f"{self.folder}: the night that was begun there has other jobs than this file",
                hint="go on with the file as it was, or name another folder with --folder",
            )
        return dict(json.loads(known["facts"]))

    def add(self, batch: Batch, phase: int, avoid: str, prefer: str, key: str) -> None:
        """Adds a batch of one job, unless it was added before."""
        with self._transaction() as db:
            if not db.execute("SELECT 1 FROM jobs WHERE key = ?", (key,)).fetchone():
                self._insert(db, batch, phase, avoid, prefer, (key,))

    @staticmethod
    def _insert(
        db: sqlite3.Connection, batch: Batch, phase: int, avoid: str, prefer: str, keys: Sequence[str]
    ) -> None:
        row = (batch.key, batch.model, batch.path, batch.board, batch.mode, batch.runtime, batch.form)
        made = db.execute(
            "INSERT INTO batches (key, model, path, board, mode, runtime, form, phase, avoid, prefer, pending, running)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (*row, phase, avoid, prefer, len(keys)),
        )
        db.executemany(
            "INSERT INTO jobs (key, batch, state) VALUES (?, ?, 'pending')", [(key, made.lastrowid) for key in keys]
        )

    def pending(self) -> dict[str, int]:
        """Batches that have jobs to be run, by type of board."""
        with self._told():
            rows = self._db.execute("SELECT board, count(*) FROM batches WHERE pending > 0 GROUP BY board")
            return {str(board): int(count) for board, count in rows}

    def counts(self) -> tuple[int, int]:
        """(jobs recorded, all jobs)."""
        with self._told():
            row = self._db.execute("SELECT sum(state = 'done'), count(*) FROM jobs").fetchone()
            return int(row[0] or 0), int(row[1])

    # --- claims ---

    def claim(self, board: str, worker: str, last: int | None) -> NightJob | None:
        """The next job on a type of board; None where none is left.

        Of the worker's last batch if it has any; else of one that nobody has begun; else of any.
        """
        wanted = (
            ("id = ? AND pending > 0", (last,)),
            ("board = ? AND pending > 0 AND owner = ''", (board,)),
            ("board = ? AND pending > 0", (board,)),
        )
        with self._transaction() as db:
            for condition, values in wanted:
                batch = db.execute(f"SELECT id FROM batches WHERE {condition} ORDER BY phase, id LIMIT 1", values)
                found = batch.fetchone()
                if found:
                    return self._claimed(db, int(found[0]), worker)
        return None

    def _claimed(self, db: sqlite3.Connection, batch: int, worker: str, number: int | None = None) -> NightJob:
        if number is None:
            (number,) = db.execute(
                "SELECT id FROM jobs WHERE batch = ? AND state = 'pending' ORDER BY id LIMIT 1", (batch,)
            ).fetchone()
        (claim,) = db.execute("SELECT coalesce(max(claim), 0) + 1 FROM jobs").fetchone()
        db.execute(
            "UPDATE jobs SET state = 'running', claim = ?, worker = ?, attempts = attempts + 1, started = ?, place = ''"
            " WHERE id = ?",
            (claim, worker, time.time(), number),
        )
        db.execute(
            "UPDATE batches SET pending = pending - 1, running = running + 1, owner = ? WHERE id = ?", (worker, batch)
        )
        row = db.execute(
            "SELECT j.id, j.key, j.claim, b.id, b.model, b.path, b.board, b.mode, b.runtime, b.form, b.avoid, b.prefer,"
            " j.attempts FROM jobs j JOIN batches b ON b.id = j.batch WHERE j.id = ?",
            (number,),
        ).fetchone()
        return NightJob(*row)

    def record(self, job: NightJob, place: str, verdict: str, document: dict[str, Any]) -> bool:
        """Records a result: the file first, then the row. False, and nothing, if the claim was given up meanwhile."""
        path = self._result(job.key, job.claim)
        with self._told():
            write_whole(path, json.dumps(document, allow_nan=False))
        with self._transaction() as db:
            done = db.execute(
                "UPDATE jobs SET state = 'done', ended = ?, place = ?, verdict = ?"
                " WHERE id = ? AND claim = ? AND state = 'running'",
                (time.time(), place, verdict, job.id, job.claim),
            )
            if done.rowcount:
                db.execute("UPDATE batches SET running = running - 1 WHERE id = ?", (job.batch,))
        if not done.rowcount:
            with self._told():
                path.unlink(missing_ok=True)
        return bool(done.rowcount)

    def give_up(self, worker: str | None = None) -> list[tuple[int, str]]:
        """Makes jobs that were claimed pending again: those of a worker that has ended, or for None all.

        Returns:
            (claims so far, worker) of each.
        """
        mine = "" if worker is None else " AND worker = ?"
        values = () if worker is None else (worker,)
        with self._transaction() as db:
            rows = db.execute(
                f"SELECT id, batch, attempts, worker FROM jobs WHERE state = 'running'{mine}", values
            ).fetchall()
            for number, batch, _, _ in rows:
                db.execute("UPDATE jobs SET state = 'pending' WHERE id = ?", (number,))
                db.execute("UPDATE batches SET pending = pending + 1, running = running - 1 WHERE id = ?", (batch,))
            now = time.time()
            db.execute(f"UPDATE batches SET owner = '' WHERE owner != ''{mine.replace('worker', 'owner')}", values)
            db.execute(f"UPDATE leases SET given = ? WHERE given IS NULL{mine}", (now, *values))
        return [(int(attempts), str(who)) for _, _, attempts, who in rows]

    def slow(self, limit_s: float) -> list[tuple[str, str]]:
        """(key, worker) of the jobs that have run for longer than so many seconds."""
        with self._told():
            rows = self._db.execute(
                "SELECT key, worker FROM jobs WHERE state = 'running' AND started < ?", (time.time() - limit_s,)
            )
            return [(str(key), str(worker)) for key, worker in rows]

    def claim_given_up(self, board: str, worker: str, attempts: int) -> NightJob | None:
        """Claims a pending job of a type of board that was begun so often already, to record what became of it."""
        with self._transaction() as db:
            found = db.execute(
                "SELECT j.id, j.batch FROM jobs j JOIN batches b ON b.id = j.batch"
                " WHERE j.state = 'pending' AND b.board = ? AND j.attempts >= ? LIMIT 1",
                (board, attempts),
            ).fetchone()
            return None if found is None else self._claimed(db, int(found[1]), worker, int(found[0]))

    def running_place(self, job: NightJob, place: str) -> None:
        """Notes which board of the farm a job runs on."""
        with self._transaction() as db:
            db.execute("UPDATE jobs SET place = ? WHERE id = ? AND claim = ?", (place, job.id, job.claim))

    def _result(self, key: str, claim: int) -> Path:
        # in folders of some hundred files each: writing looks over the folder
        return self.folder / RESULTS / key[:2] / f"{key}-{claim}.json"

    # --- leases ---

    def leased(self, place: str, worker: str) -> int:
        """Notes that a worker has a board from now on; the note's number."""
        with self._transaction() as db:
            made = db.execute(
                "INSERT INTO leases (place, worker, taken) VALUES (?, ?, ?)", (place, worker, time.time())
            )
            return int(made.lastrowid or 0)

    def returned(self, lease: int) -> None:
        """Notes that it has given it back."""
        with self._transaction() as db:
            db.execute("UPDATE leases SET given = ? WHERE id = ? AND given IS NULL", (time.time(), lease))

    def leases(self) -> list[tuple[str, str, float, float | None]]:
        """(place, worker, taken, given) of all, in the order in which they were taken."""
        with self._told():
            return list(self._db.execute("SELECT place, worker, taken, given FROM leases ORDER BY id"))

    # --- results ---

    def done(self) -> list[Done]:
        """All recorded jobs, in the order of the plan."""
        with self._told():
            rows = self._db.execute(
                "SELECT j.key, b.key, b.model, b.board, b.mode, b.runtime, b.form, b.phase, j.place, j.attempts,"
                " coalesce(j.ended - j.started, 0), j.verdict"
                " FROM jobs j JOIN batches b ON b.id = j.batch WHERE j.state = 'done' ORDER BY j.id"
            )
            return [Done(*row) for row in rows]

    def spans(self) -> list[tuple[str, str, float, float]]:
        """(place, type of board, started, ended) of all recorded jobs that ran on a board."""
        with self._told():
            return list(
                self._db.execute(
                    "SELECT j.place, b.board, j.started, j.ended FROM jobs j JOIN batches b ON b.id = j.batch"
                    " WHERE j.state = 'done' AND j.place != ''"
                )
            )

    def document(self, key: str) -> dict[str, Any]:
        """The result of a recorded job. Raises NightError if its file is gone or damaged."""
        with self._told():
            (claim,) = self._db.execute("SELECT claim FROM jobs WHERE key = ?", (key,)).fetchone()
            path = self._result(key, claim)
            try:
                return dict(json.loads(read_regular(path, _MAX_BYTES)))
            except ValueError as error:
                raise NightError(f"{path}: damaged: {error}", hint="remove it, and run the night again") from error

    def check_results(self) -> int:
        """Makes recorded jobs whose result's file is gone pending again; how many."""
        with self._transaction() as db:
            rows = db.execute("SELECT id, key, claim, batch FROM jobs WHERE state = 'done'").fetchall()
            lost = [row for row in rows if not self._result(row[1], row[2]).is_file()]
            for number, _, _, batch in lost:
                db.execute("UPDATE jobs SET state = 'pending' WHERE id = ?", (number,))
                db.execute("UPDATE batches SET pending = pending + 1 WHERE id = ?", (batch,))
        return len(lost)

    def sweep(self) -> int:
        """Removes results that were written and never recorded, as of a worker that died in between; how many.

        Only while no worker runs.
        """
        with self._told():
            rows = self._db.execute("SELECT key, claim FROM jobs WHERE state = 'done'")
            known = {self._result(key, claim) for key, claim in rows}
            lost = [path for path in (self.folder / RESULTS).rglob("*.json") if path not in known]
            for path in lost:
                path.unlink(missing_ok=True)
        return len(lost)
