"""The store keeps all of a bundle or nothing, each once, whoever writes beside; what is no store is refused by name."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.errors import HistoryError, ResultsError
from harness.history.connection import store_path
from harness.history.reading import RunReader
from harness.history.store import HistoryStore
from tests.support.nights import night
from tests.support.paths import REPOSITORY


def count(path: Path, table: str) -> int:
    with HistoryStore(path, create=False) as store:
        return int(store.query(f"SELECT count(*) FROM {table}")[0][0])


def test_what_goes_in_comes_out(tmp_path):
    document = night(0)
    with HistoryStore(tmp_path / "folder" / "h.db") as store:
        added = store.add(document, session="first", source="here")
        assert added.new and added.rows == sum(13 + 6 for _ in document["runs"])
        runs = RunReader(store).runs(added.runs)
    assert [(run.subject.model, run.subject.board) for run in runs] == [
        (run["name"], run["board"]["asked"]) for run in document["runs"]
    ]
    first, told = document["runs"][0], runs[0]
    assert {f"{f.metric} {f.unit}": v for f, v in told.figures.items()} == {
        "time instructions": first["time"]["total"], "arena bytes": first["memory"]["arena_measured"],
        "stack bytes": 400, "flash bytes": 18_000, "constants bytes": 8_400, "outputs.max_lsb LSB": 0,
        "outputs.differing elements": 0, "layers.differing layers": 0, "macs MACs": 220_000, "flash.text bytes": 8_100,
        "flash.rodata bytes": 9_000, "ram.data bytes": 0, "ram.bss bytes": first["memory"]["arena_measured"],
    }  # fmt: skip
    assert [line.name for line in told.layout.lines] == [layer["name"] for layer in first["layers"]]
    (layers,) = told.layer_figures.values()
    assert list(layers) == [layer["value"] for layer in first["layers"]]
    assert told.revision == document["environment"]["sources"]["revision"]
    assert told.session == "first" and told.facts["model_sha256"] == first["model"]["sha256"]


def test_layers_are_rows_for_those_who_ask_in_sql(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        store.add(night(0, layers=7))
        rows = store.query("SELECT metric, unit, layer, value FROM layer_rows WHERE run = 1 ORDER BY layer")
    assert [row[:3] for row in rows] == [("time", "instructions", place) for place in range(7)]


def test_a_bundle_is_kept_once(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        first = store.add(night(0))
        again = store.add(night(0))
        moved = night(0)
        for run in moved["runs"]:
            run["image"] |= {"file": "elsewhere.elf", "sha256": "ef" * 32}
        assert not again.new and again.runs == first.runs and again.bundle == first.bundle
        assert not store.add(moved).new, "a copy of the bundle"
        assert store.add(night(1)).new
    assert count(tmp_path / "h.db", "bundles") == 2


def test_a_damaged_document_leaves_nothing(tmp_path):
    document = night(0)
    document["runs"][-1]["layers"][2]["value"] = "fast"
    with HistoryStore(tmp_path / "h.db") as store:
        with pytest.raises(ResultsError, match=r"runs\.3\.layers\.2\.value"):
            store.add(document)
        assert store.query("SELECT count(*) FROM runs") == [(0,)]


WRITER = """
import sys
from pathlib import Path
from harness.history.store import HistoryStore
from tests.support.nights import night
path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with HistoryStore(path) as store:
    for number in range(first, first + count):
        store.add(night(number), session=f"n{number}")
        print(number, flush=True)
"""


def writer(path: Path, first: int, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first), str(count)], cwd=REPOSITORY, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def test_two_writers_at_once_lose_nothing(tmp_path):
    path = tmp_path / "h.db"
    with writer(path, 0, 25) as one, writer(path, 1_000, 25) as other:
        assert one.wait(60) == other.wait(60) == 0
    assert count(path, "bundles") == 50 and count(path, "runs") == 200
    assert count(path, "run_values") == 200 * 13 and count(path, "layer_rows") == 200 * 6
    assert count(path, "subjects") == 4


def test_a_killed_writer_leaves_whole_bundles_and_the_same_can_be_added_again(tmp_path):
    path = tmp_path / "h.db"
    with writer(path, 0, 100_000) as killed:
        for _ in range(5):
            killed.stdout.readline()
        time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
    kept = count(path, "bundles")
    assert kept >= 5 and count(path, "runs") == 4 * kept and count(path, "layer_rows") == 24 * kept
    with HistoryStore(path) as store:
        assert [store.add(night(number)).new for number in range(kept + 1)] == [False] * kept + [True]


def test_a_reader_sees_what_was_whole_when_it_looked(tmp_path):
    path = tmp_path / "h.db"
    with HistoryStore(path) as store, HistoryStore(path, create=False) as reader:
        store.add(night(0))
        assert reader.query("SELECT count(*) FROM runs") == [(4,)]
        store.add(night(1))
        assert reader.query("SELECT count(*) FROM runs") == [(8,)]


def damaged(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\x55" * 5_000)


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE mine (a)")


def later(path: Path) -> None:
    HistoryStore(path).close()
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(b"text, no database\n" * 100), "no history, or a damaged one"),
        (damaged, "no history, or a damaged one"),
        (foreign, "a database of another program"),
        (later, "schema version 99"),
        (lambda path: path.mkdir(), "no file"),
        (lambda path: os.mkfifo(path), "no file"),
    ],
    ids=["text", "damaged", "foreign", "later", "folder", "pipe"],
)
def test_what_is_no_store_is_refused_by_name(tmp_path, make, told):
    path = tmp_path / "h.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(HistoryError, match=told) as caught:
        HistoryStore(path).close()
    assert str(path) in caught.value.message and caught.value.hint
    assert not path.is_file() or path.read_bytes() == before, "it stays as it is"


def test_a_store_cut_short_is_refused(tmp_path):
    path = tmp_path / "h.db"
    with HistoryStore(path) as store:
        for number in range(20):
            store.add(night(number))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(HistoryError, match="damaged"), HistoryStore(path) as store:
        RunReader(store).newest(100)


def test_a_store_that_is_missing_is_not_made_by_readers(tmp_path):
    with pytest.raises(HistoryError, match="no history yet"):
        HistoryStore(tmp_path / "h.db", create=False)
    assert not list(tmp_path.iterdir())


@pytest.fixture()
def open_folder():
    """A folder that every user may enter, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_read_only_folder_lets_read_and_refuses_to_write(open_folder):
    folder = open_folder / "locked"
    with HistoryStore(folder / "h.db") as store:
        store.add(night(0))
    (folder / "h.db").chmod(0o444)
    folder.chmod(0o555)
    child = os.fork()
    if child == 0:  # as a user who may write everywhere cannot see
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            with HistoryStore(folder / "h.db", create=False) as store:
                assert len(RunReader(store).newest(10)) == 4
                with pytest.raises(HistoryError, match="cannot be written"):
                    store.add(night(1))
            with pytest.raises(HistoryError, match="cannot be made"):
                HistoryStore(folder / "other.db")
        except BaseException as error:
            print(error, flush=True)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    folder.chmod(0o755)


FULL = """
import resource, signal, sys
from pathlib import Path
from harness.errors import HistoryError
from harness.history.store import HistoryStore
from tests.support.nights import night
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with HistoryStore(Path(sys.argv[1])) as store:
    store.add(night(0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        store.add(night(1, layers=40_000))
    except HistoryError as error:
        print(error.message)
"""


def test_a_full_disk_leaves_what_was_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "h.db")], cwd=REPOSITORY, capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert str(tmp_path / "h.db") in done.stdout
    assert count(tmp_path / "h.db", "bundles") == 1


def test_the_usual_place_and_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("TINYHIL_HISTORY", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    usual = store_path()
    assert usual.name == "history.db" and "tinyhil" in usual.parts
    assert store_path(Path("default")) == usual
    monkeypatch.setenv("TINYHIL_HISTORY", "/somewhere/else.db")
    assert store_path() == Path("/somewhere/else.db") and store_path(Path("x.db")) == Path("x.db")


def test_a_copy_of_the_file_is_a_store(tmp_path):
    with HistoryStore(tmp_path / "h.db") as store:
        store.add(night(0))
    shutil.copy(tmp_path / "h.db", tmp_path / "copy.db")
    assert count(tmp_path / "copy.db", "runs") == 4
