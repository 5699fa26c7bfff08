"""What BASE and CAND may name."""

from __future__ import annotations

import subprocess

import pytest

from harness.errors import HistoryError, ResultsError, SelectionError
from harness.history.reading import RunReader
from harness.history.selection import compare_named, select
from harness.history.store import HistoryStore
from tests.support.nights import night, one_byte_of_arena, revision


@pytest.fixture()
def store(tmp_path):
    with HistoryStore(tmp_path / "h.db") as made:
        for number in range(4):
            made.add(night(number), session=f"night-{number}")
        yield made


def numbers(name: str, store: HistoryStore | None) -> list[int]:
    return [run.number for run in select(name, RunReader(store) if store else None)]


def test_names(store):
    assert numbers("run:3", store) == numbers("3", store) == [3]
    assert numbers("bundle:2", store) == numbers("session:night-1", store) == numbers("night-1", store) == [5, 6, 7, 8]
    assert numbers(f"rev:{revision(2)}", store) == numbers(revision(2)[:9], store) == [9, 10, 11, 12]
    assert numbers("last", store) == [13, 14, 15, 16]


def test_a_branch_or_tag_is_what_git_says(store, tmp_path, monkeypatch):
    repository = tmp_path / "r"
    repository.mkdir()
    monkeypatch.chdir(repository)
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"], ["tag", "v1"]):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *command], check=True)
    found = subprocess.run(["git", "rev-parse", "v1"], capture_output=True, text=True, check=True).stdout.strip()
    document = night(9)
    document["environment"]["sources"]["revision"] = found
    added = store.add(document)
    assert numbers("v1", store) == numbers("rev:HEAD", store) == list(added.runs)


NOTHING = (
    "run:99", "99", "session:none", "nonsense", "rev:0000000", "run:x", "bundle:1e3", "--help", "run:" + "9" * 30,
    "rev:-x", "", "a\0b", "run:", "x" * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("name", NOTHING, ids=range(len(NOTHING)))
def test_a_name_that_stands_for_nothing_is_refused(store, name):
    with pytest.raises(SelectionError):
        select(name, RunReader(store))


def test_a_revision_of_two_beginnings_is_refused(store):
    for number, hash_ in enumerate(("abcd" + "0" * 36, "abcd" + "1" * 36)):
        document = night(20 + number)
        document["environment"]["sources"]["revision"] = hash_
        store.add(document)
    with pytest.raises(SelectionError, match="2 revisions begin so"):
        select("rev:abcd", RunReader(store))
    assert len(numbers("rev:abcd0", store)) == 4


def test_last_good_is_base_only(store):
    with pytest.raises(SelectionError):
        compare_named("last", "last-good", None, store)


def test_without_a_store_only_bundles_are_there(tmp_path):
    with pytest.raises(HistoryError):
        compare_named("run:1", "run:2")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match="not a complete result bundle"):
        compare_named(str(tmp_path / "empty"), str(tmp_path / "empty"))


def test_last_good_is_the_newest_that_passed_and_had_not_regressed(store):
    compare_named("last-good", "last", None, store)
    failed = night(4)
    for run in failed["runs"]:
        run["verdict"]["passed"] = False
    store.add(failed)
    bad = store.add(night(5, change=one_byte_of_arena))
    assert compare_named("last-good", f"bundle:{bad.bundle}", None, store).subjects[0].base[0].bundle == 4
    again = store.add(night(6))
    assert compare_named("last-good", f"bundle:{again.bundle}", None, store).subjects[0].base[0].bundle == 4
    older = compare_named("last-good", "run:5", None, store)
    assert older.subjects[0].base[0].number == 1, "before the candidate, not after it"


def test_runs_of_one_session_are_compared_together(store):
    parts = night(7)["runs"]
    for place, run in enumerate(parts):
        document = {**night(7), "runs": [run], "command": [str(place)]}
        store.add(document, session="night-7")
    found = compare_named("night-3", "session:night-7", None, store)
    assert len(found.subjects) == 4 and found.exit_code == 0
