"""Locks say who holds them and for how long one waits; what is left of a dead process locks nothing."""

import json
import os
import subprocess
import sys
import time

import pytest

from harness.build.cache import WAIT_VARIABLE, BuildCache
from harness.errors import BuildError
from harness.files.locks import HeldError, OwnedLock, owner, seconds_from
from tests.support.paths import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from harness.files.locks import OwnedLock
lock = OwnedLock(Path(sys.argv[1]), 0)
print("held", flush=True)
time.sleep(60)
"""


def holder(path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), "the model"], stdout=subprocess.PIPE, env=environment
    )
    assert child.stdout.readline() == b"held\n"
    return child


@pytest.fixture
def held(tmp_path):
    """A lock that another process holds, and that process."""
    path = tmp_path / "x.lock"
    child = holder(path)
    yield path, child
    child.kill()
    child.wait()
    child.stdout.close()


def test_the_holder_is_named_with_user_command_and_time(held):
    path, child = held
    start = time.monotonic()
    with pytest.raises(HeldError, match=rf"^\[Errno \d+\] process {child.pid} of user \w+ \(.*the model\), for \d+ s$"):
        OwnedLock(path, 0.3)
    assert time.monotonic() - start > 0.2


def test_a_dead_holder_leaves_nothing_locked(held):
    path, child = held
    child.kill()
    child.wait()
    assert path.exists() and path.with_suffix(".owner").exists()
    OwnedLock(path, 0).release()


def test_a_note_of_a_process_that_has_ended_says_so(tmp_path):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    note = tmp_path / "x.owner"
    note.write_text(json.dumps({"pid": done.pid, "user": "me", "command": "c", "since": time.time()}))
    assert owner(note).endswith("it has ended, but not what it started")


@pytest.mark.parametrize("text", ["", "[", "[" * 3000, "{}", '{"pid": "x", "since": 0}', "\0", '{"since": 1e999}'])
def test_notes_of_any_text(tmp_path, text):
    note = tmp_path / "x.owner"
    note.write_text(text)
    assert owner(note) == "another process"


def test_the_build_cache_waits_only_so_long(tmp_path, monkeypatch):
    (tmp_path / "locks").mkdir()
    child = holder(tmp_path / "locks" / "key.lock")
    monkeypatch.setenv(WAIT_VARIABLE, "0.2")
    try:
        named = f"process {child.pid} of user"
        with pytest.raises(BuildError, match=named) as caught, BuildCache(tmp_path).lock("key"):
            pass
        assert WAIT_VARIABLE in caught.value.hint
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    with BuildCache(tmp_path).lock("key"):
        pass


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 5), ("3", 3), ("-1", 0), ("x", 5), ("nan", 5), ("inf", float("inf"))]
)
def test_seconds_of_the_environment(monkeypatch, text, seconds):
    monkeypatch.setenv("TINYHIL_SOME_WAIT", text)
    assert seconds_from("TINYHIL_SOME_WAIT", 5) == seconds
