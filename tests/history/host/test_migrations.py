"""A store of every older schema is brought to the latest, with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from harness.history.reading import RunReader
from harness.history.schema import STEPS, VERSION
from harness.history.selection import compare_named
from harness.history.store import HistoryStore
from tests.support.nights import night, one_byte_of_arena

OLD = sorted((Path(__file__).parent / "old_schemas").glob("*.sql"))
"""Dumps of stores as tinyhil made them, a run in each, named by their version. One is added with every step."""


def restored(dump: Path, path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.executescript(dump.read_text(encoding="utf-8"))


def test_there_is_a_dump_of_every_version_before_this() -> None:
    assert [int(dump.stem.removeprefix("v")) for dump in OLD] == list(range(1, VERSION + 1))


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_an_old_store_is_read_and_goes_on(dump, tmp_path):
    path = tmp_path / "h.db"
    restored(dump, path)
    with HistoryStore(path, create=False) as store:
        assert store.query("PRAGMA user_version") == [(VERSION,)]
        runs = RunReader(store).newest(10)
        assert [run.subject.model for run in runs] == ["kws"]
        assert len(runs[0].layout.lines) == 3 and len(runs[0].figures) == 13
        added = store.add(night(9, models=["kws"], boards=["mps2-an386"], layers=3, change=one_byte_of_arena))
        found = compare_named("last-good", f"bundle:{added.bundle}", store=store)
    assert [delta.figure.metric for delta in found.subjects[0].deltas] == ["arena"]


@pytest.mark.parametrize("dump", OLD, ids=lambda dump: dump.stem)
def test_it_is_then_as_a_new_one(dump, tmp_path):
    def shape(path: Path) -> list[tuple[str, str]]:
        with sqlite3.connect(path) as made:
            return sorted(made.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())

    restored(dump, tmp_path / "old.db")
    HistoryStore(tmp_path / "old.db").close()
    HistoryStore(tmp_path / "new.db").close()
    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")


def test_a_step_that_fails_leaves_the_old_store(tmp_path, monkeypatch):
    path = tmp_path / "h.db"
    restored(OLD[0], path)
    monkeypatch.setattr("harness.history.connection.STEPS", (*STEPS, ("CREATE TABLE new (a)", "nonsense")))
    monkeypatch.setattr("harness.history.connection.VERSION", VERSION + 1)
    with pytest.raises(Exception, match="nonsense"):
        HistoryStore(path)
    with sqlite3.connect(path) as made:
        assert made.execute("PRAGMA user_version").fetchone() == (1,)
        tables = {row[0] for row in made.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "new" not in tables and "judgements" not in tables
