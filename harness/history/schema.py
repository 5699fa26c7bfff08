"""The tables of the store, as the steps that made them: a store of any older version is brought to the latest.

`PRAGMA user_version` is the number of steps that were made. A step is never changed once it was released: another one
is added. Layers' values stand as a JSON list in the order of the run's layout, which runs of one network share; the
view `layer_rows` shows them a row each.
"""

from __future__ import annotations

APPLICATION_ID = 0x74696E79
"""In the file's header ("tiny"): tells our stores from other programs' databases."""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE bundles (
            id INTEGER PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the results document
            at REAL NOT NULL,  -- seconds since 1970, UTC
            added REAL NOT NULL,
            session TEXT NOT NULL DEFAULT '',
            revision TEXT NOT NULL DEFAULT '',
            dirty INTEGER NOT NULL DEFAULT 0,
            branch TEXT NOT NULL DEFAULT '',
            verdict TEXT NOT NULL,
            command TEXT NOT NULL DEFAULT '',
            tools TEXT NOT NULL DEFAULT '{}',
            environment TEXT NOT NULL DEFAULT '{}',
            source TEXT NOT NULL DEFAULT ''
        )""",
        "CREATE INDEX bundles_at ON bundles (at)",
        """CREATE TABLE subjects (
            id INTEGER PRIMARY KEY,
            model TEXT NOT NULL, board TEXT NOT NULL, mode TEXT NOT NULL, runtime TEXT NOT NULL,
            UNIQUE (model, board, mode, runtime)
        )""",
        """CREATE TABLE layouts (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, layers TEXT NOT NULL)""",
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            bundle INTEGER NOT NULL REFERENCES bundles (id) ON DELETE CASCADE,
            subject INTEGER NOT NULL REFERENCES subjects (id),
            verdict TEXT NOT NULL,
            why TEXT NOT NULL DEFAULT '',
            facts TEXT NOT NULL DEFAULT '{}',
            layout INTEGER REFERENCES layouts (id)
        )""",
        "CREATE INDEX runs_bundle ON runs (bundle)",
        "CREATE INDEX runs_subject ON runs (subject, id)",
        """CREATE TABLE figures (
            id INTEGER PRIMARY KEY, metric TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (metric, unit)
        )""",
        """CREATE TABLE run_values (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            figure INTEGER NOT NULL REFERENCES figures (id),
            value NUMERIC NOT NULL,
            samples TEXT,  -- JSON list, where it was measured more than once
            PRIMARY KEY (run, figure)
        ) WITHOUT ROWID""",
        """CREATE TABLE layer_values (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            figure INTEGER NOT NULL REFERENCES figures (id),
            numbers TEXT NOT NULL,  -- JSON list by layer
            PRIMARY KEY (run, figure)
        )""",
        """CREATE VIEW layer_rows AS
            SELECT v.run, f.metric, f.unit, e.key AS layer, e.value
            FROM layer_values v JOIN figures f ON f.id = v.figure, json_each(v.numbers) e
            WHERE e.value IS NOT NULL""",
    ),
    (
        """CREATE TABLE judgements (
            run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
            base INTEGER,  -- the run that it was compared with
            verdict TEXT NOT NULL,  -- improved, unchanged, regressed, unstable, accepted
            at REAL NOT NULL
        )""",
        "CREATE INDEX bundles_session ON bundles (session)",
    ),
)
"""Statements of each step, from an empty file on."""

VERSION = len(STEPS)
