"""The store of all runs: results documents go in, runs come out.

One transaction takes a whole bundle, so that a killed process leaves all of it or nothing. A bundle that is there
already is recognized by its content. Many processes may use a store at once, each with a connection of its own.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.history.connection import connect, store_path, told, transaction
from harness.history.ingest import bundle_of, records_of
from harness.history.records import Added, FigureKey, NetworkLayout, RunSubject, StoredBundle, StoredRun
from harness.report.document import Document


class HistoryStore:
    """A store in a file; a context manager that closes it."""

    def __init__(self, path: Path | None = None, *, create: bool = True) -> None:
        """Opens it.

        Args:
            path: of the file; None for $TINYHIL_HISTORY, else the user's data folder.
            create: make it where it is missing.

        Raises:
            HistoryError: it cannot be opened or made, or is no store of this version or an older one.
        """
        self.path = store_path(path)
        self._connection = connect(self.path, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes it; it cannot be used afterwards."""
        self._connection.close()

    def add(self, document: Document, *, session: str = "", source: str = "", revision: str = "") -> Added:
        """Adds the runs of a results document, all or none; one that is there already stays as it is.

        Args:
            document: harness.report.bundle.results_document, of any version of its schema.
            session: name of the nightly that it belongs to; BASE and CAND of a comparison may name it.
            source: where it came from, for people.
            revision: of the sources, where the document does not tell.

        Raises:
            ResultsError: it is damaged.
            HistoryError: the store cannot be written.
        """
        return self._add(records_of(document, source or "results"), session, source, revision)

    def add_bundle(self, folder: Path, *, session: str = "", revision: str = "") -> Added:
        """The same for a bundle in a folder.

        Raises:
            ResultsError: it is incomplete or damaged.
            HistoryError: the store cannot be written.
        """
        return self._add(bundle_of(folder), session, str(folder), revision)

    def _add(self, bundle: StoredBundle, session: str, source: str, revision: str) -> Added:
        with told(self.path), transaction(self._connection):
            known = self._connection.execute("SELECT id FROM bundles WHERE digest = ?", (bundle.digest,)).fetchone()
            if known:
                runs = self._connection.execute("SELECT id FROM runs WHERE bundle = ? ORDER BY id", known)
                return Added(known[0], tuple(row[0] for row in runs), False, 0)
            return BundleWriter(self._connection).add(bundle, session, source, revision)

    def judge(self, verdicts: Mapping[int, str], base: Mapping[int, int] | None = None) -> None:
        """Notes how runs did in a comparison with the last good one; a regressed run is never the last good one.

        Args:
            verdicts: by the run's number: a word of harness.history.verdicts.Change, or "accepted": good, whatever a
                comparison said before.
            base: the number of the run that each was compared with.

        Raises:
            HistoryError: the store cannot be written.
        """
        with told(self.path), transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO judgements (run, base, verdict, at) VALUES (?, ?, ?, ?)",
                [(run, (base or {}).get(run), verdict, time.time()) for run, verdict in verdicts.items()],
            )

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT.

        Raises:
            HistoryError: the store cannot be read.
        """
        with told(self.path):
            return self._connection.execute(statement, values).fetchall()


class BundleWriter:
    """Writes a bundle within a transaction, with the names that it has looked up so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._subjects: dict[RunSubject, int] = {}
        self._figures: dict[FigureKey, int] = {}
        self._layouts: dict[str, int] = {}

    def add(self, bundle: StoredBundle, session: str, source: str, revision: str) -> Added:
        """Writes the bundle and its runs."""
        number = self._insert(
            "bundles",
            digest=bundle.digest,
            at=bundle.at,
            added=time.time(),
            session=session,
            revision=bundle.revision or revision,
            dirty=int(bundle.dirty),
            branch=bundle.branch,
            verdict=bundle.verdict,
            command=bundle.command,
            tools=_json(bundle.tools),
            environment=_json(bundle.environment),
            source=source,
        )
        runs = [self._run(number, run) for run in bundle.runs]
        return Added(number, tuple(run for run, _ in runs), True, sum(rows for _, rows in runs))

    def _run(self, bundle: int, run: StoredRun) -> tuple[int, int]:
        """(number, figures that were written)."""
        number = self._insert(
            "runs",
            bundle=bundle,
            subject=self._subject(run.subject),
            verdict=run.verdict,
            why=run.why,
            facts=_json(run.facts),
            layout=self._layout(run.layout),
        )
        self._connection.executemany(
            "INSERT INTO run_values (run, figure, value, samples) VALUES (?, ?, ?, ?)",
            [
                (number, self._figure(figure), value, _json(run.samples[figure]) if figure in run.samples else None)
                for figure, value in run.figures.items()
            ],
        )
        self._connection.executemany(
            "INSERT INTO layer_values (run, figure, numbers) VALUES (?, ?, ?)",
            [(number, self._figure(figure), _json(values)) for figure, values in run.layer_figures.items()],
        )
        return number, len(run.figures) + sum(map(len, run.layer_figures.values()))

    def _subject(self, subject: RunSubject) -> int:
        if subject not in self._subjects:
            self._subjects[subject] = self._known_or_new("subjects", **subject._asdict())
        return self._subjects[subject]

    def _figure(self, figure: FigureKey) -> int:
        if figure not in self._figures:
            self._figures[figure] = self._known_or_new("figures", **figure._asdict())
        return self._figures[figure]

    def _layout(self, layout: NetworkLayout) -> int:
        if layout.text not in self._layouts:
            digest = hashlib.sha256(layout.text.encode()).hexdigest()
            found = self._connection.execute("SELECT id FROM layouts WHERE digest = ?", (digest,)).fetchone()
            made = int(found[0]) if found else self._insert("layouts", digest=digest, layers=layout.text)
            self._layouts[layout.text] = made
        return self._layouts[layout.text]

    def _known_or_new(self, table: str, **fields: Any) -> int:
        where = " AND ".join(f"{name} = ?" for name in fields)
        found = self._connection.execute(f"SELECT id FROM {table} WHERE {where}", tuple(fields.values())).fetchone()
        return int(found[0]) if found else self._insert(table, **fields)

    def _insert(self, table: str, **fields: Any) -> int:
        marks = ", ".join("?" * len(fields))
        done = self._connection.execute(
            f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", tuple(fields.values())
        )
        assert done.lastrowid is not None
        return done.lastrowid


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
