"""Leases: two processes never share a probe or a port, and one that dies holds nothing."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards.lease import FOLDER_VARIABLE, WAIT_VARIABLE, Lease, lease_folder, lease_wait_s
from harness.errors import BoardError, LeasedError

HOLDER = """
import sys, time
from harness.boards.lease import Lease
with Lease("probe", sys.argv[1]):
    print("held", flush=True)
    if sys.argv[2] == "die":
        import os
        os.kill(os.getpid(), 9)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    monkeypatch.delenv(WAIT_VARIABLE, raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)


def holder(name, how):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, "-c", HOLDER, name, how], stdout=subprocess.PIPE, env=environment)
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    return child


def test_two_processes_never_share_and_the_owner_is_named():
    child = holder("0670FF", "30")
    try:
        with pytest.raises(LeasedError, match=f"probe 0670FF is in use by process {child.pid}") as caught:
            Lease("probe", "0670FF")
        assert caught.value.stage == "lease" and WAIT_VARIABLE in caught.value.hint
        Lease("probe", "another").release()
        Lease("port", "0670FF").release()
    finally:
        child.kill()
        child.wait()
    Lease("probe", "0670FF").release()  # the system gave it back


def test_a_process_that_dies_without_a_word_holds_nothing():
    child = holder("dead", "die")
    child.wait(10)
    Lease("probe", "dead").release()


def test_one_process_cannot_hold_it_twice():
    with Lease("probe", "mine") as first:
        with pytest.raises(LeasedError, match=f"process {os.getpid()}|deadlock"):
            Lease("probe", "mine")
        first.release()
        first.release()
    Lease("probe", "mine").release()


def test_waiting_takes_turns(monkeypatch):
    child = holder("turns", "0.5")
    Lease("probe", "turns", wait_s=20).release()
    assert child.wait(10) == 0


def test_names_that_no_file_may_have_are_kept_apart():
    with Lease("port", "/dev/pts/1"), Lease("port", "/dev/pts_1"), Lease("port", "/dev/" + "x" * 300):
        assert {path.suffix for path in lease_folder().iterdir()} == {".lock", ".owner"}


def test_only_workers_wait_by_default(monkeypatch):
    assert lease_wait_s() == 0
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert lease_wait_s() > 60
    monkeypatch.setenv(WAIT_VARIABLE, "2.5")
    assert lease_wait_s() == 2.5


def test_the_folder_is_made_for_this_user_alone():
    with Lease("probe", "x"):
        assert stat.S_IMODE(os.stat(lease_folder()).st_mode) == 0o700
        for path in lease_folder().glob("*.owner"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1777, 0o770, 0o701, 0o500])
def test_a_folder_that_others_may_enter_is_refused(tmp_path, monkeypatch, mode):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    with pytest.raises(BoardError, match=rf"{folder} has mode {mode:04o}, not 0700") as caught:
        Lease("probe", "x")
    assert FOLDER_VARIABLE in caught.value.hint and not list(folder.iterdir())


def test_a_link_to_a_folder_or_a_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "loose").symlink_to(tmp_path / "absent")
    (tmp_path / "file").touch()
    for name in ("link", "loose", "file"):
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / name))
        with pytest.raises(BoardError, match="symbolic link|no directory"):
            Lease("probe", "x")
    assert not list((tmp_path / "real").iterdir())


def test_a_folder_of_another_user_is_refused(monkeypatch):
    lease_folder()
    monkeypatch.setattr("harness.files.private.os.getuid", lambda: 12345)
    with pytest.raises(BoardError, match="belongs to user"):
        Lease("probe", "x")


def test_the_default_folder_is_checked_too(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = lease_folder()
    if made.parent != tmp_path:
        pytest.skip("this system has a folder for each user")
    made.chmod(0o777)
    with pytest.raises(BoardError, match="has mode 0777"):
        lease_folder()


def test_a_note_or_a_lock_leads_nowhere_else(tmp_path):
    with Lease("probe", "x"):
        (note,) = lease_folder().glob("*.owner")
        (lock,) = lease_folder().glob("*.lock")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    note.symlink_to(victim)
    with Lease("probe", "x"):
        assert not note.is_symlink() and "pid" in note.read_text()
        note.unlink()
        os.mkfifo(note)
        with pytest.raises(LeasedError, match="another process|deadlock"):
            Lease("probe", "x")
        note.unlink()
        note.symlink_to(Path("/dev/zero"))
        with pytest.raises(LeasedError, match="another process|deadlock"):
            Lease("probe", "x")
    lock.unlink(missing_ok=True)
    lock.symlink_to(victim)
    with pytest.raises(LeasedError, match="is a symbolic link"):
        Lease("probe", "x")
    assert victim.read_text() == "mine"
