"""Leases: two processes never share a probe or a port, and one that dies holds nothing."""

import os
import subprocess
import sys

import pytest

from harness.boards.lease import FOLDER_VARIABLE, WAIT_VARIABLE, Lease, lease_folder, lease_wait_s
from harness.errors import LeasedError

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
