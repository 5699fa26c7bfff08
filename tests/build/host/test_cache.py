"""The cache of objects and images: damage, locks, interrupted writes and pruning."""

import os
import threading
import time
from pathlib import Path

import pytest

from harness.build.cache import PRUNE_INTERVAL_S, BuildCache, default_root, digest
from harness.errors import BuildError


def test_a_relative_folder_is_the_same_one_wherever_a_tool_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYHIL_CACHE", "here")
    assert default_root() == tmp_path / "here"


def test_what_was_put_is_found(tmp_path):
    cache = BuildCache(tmp_path)
    assert cache.find("ab12", ".o") is None
    path = cache.put("ab12", ".o", b"object")
    assert cache.find("ab12", ".o") == path
    assert path.read_bytes() == b"object"


@pytest.mark.parametrize("damage", [b"", b"objecT", b"object and more"])
def test_a_damaged_entry_is_no_entry(tmp_path, damage):
    cache = BuildCache(tmp_path)
    cache.put("ab12", ".o", b"object").write_bytes(damage)
    assert cache.find("ab12", ".o") is None
    cache.put("ab12", ".o", b"object")
    assert cache.find("ab12", ".o") is not None


def test_an_entry_without_a_seal_is_no_entry(tmp_path):
    cache = BuildCache(tmp_path)
    path = cache.put("ab12", ".o", b"object")
    path.with_name(path.name + ".sha256").unlink()
    assert cache.find("ab12", ".o") is None


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    cache = BuildCache(tmp_path)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(BuildError, match="No space left"):
        cache.put("ab12", ".o", b"object")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(BuildError, match=str(blocked)) as caught:
        BuildCache(blocked).put("ab12", ".o", b"")
    assert "TINYHIL_CACHE" in caught.value.hint


def test_parts_of_a_digest_do_not_run_together():
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", "")}) == 4


def test_a_lock_lets_one_in_at_a_time(tmp_path):
    cache = BuildCache(tmp_path)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with cache.lock("ab12"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_workspace_goes_even_after_an_exception(tmp_path):
    cache = BuildCache(tmp_path)
    seen: list[Path] = []
    with pytest.raises(ValueError), cache.workspace() as folder:
        (folder / "x").write_text("")
        seen.append(folder)
        raise ValueError
    assert not seen[0].exists()


def test_pruning_keeps_what_was_used_last(tmp_path):
    cache = BuildCache(tmp_path, limit=250)
    now = time.time()
    for age, key in enumerate(["aa", "bb", "cc"]):
        path = cache.put(key, ".o", bytes(100))
        os.utime(path, (now - age, now - age))
    assert cache.prune(now=now) == 1
    assert cache.find("cc", ".o") is None
    assert cache.find("aa", ".o") and cache.find("bb", ".o")
    cache.put("dd", ".o", bytes(100))
    assert cache.prune(now=now + 60) == 0, "once a day is enough"
    assert cache.prune(now=now + PRUNE_INTERVAL_S + 1) == 1
