"""Programs that end with whoever started them, and what they said."""

import contextlib
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import BoardError
from harness.link.subprocess import STDERR_LIMIT, Subprocess
from tests.support.processes import alive, gone, outlives

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(300)"]


def test_close_ends_it_and_may_come_twice():
    child = Subprocess("sleeper", SLEEP, pipes=True)
    assert child.stdout.readline() == b"up\n"
    child.close()
    child.close()
    assert gone(child.pid)
    assert child.fate() == "was killed by SIGKILL"


def test_it_lives_on_when_the_thread_that_asked_for_it_ends():
    made: list[Subprocess] = []
    thread = threading.Thread(target=lambda: made.append(Subprocess("sleeper", SLEEP, pipes=True)))
    thread.start()
    thread.join()
    child = made[0]
    try:
        assert child.stdout.readline() == b"up\n"
        time.sleep(0.1)
        assert alive(child.pid)
    finally:
        child.close()


def test_a_program_that_is_not_there():
    with pytest.raises(BoardError, match="thing cannot be started: No such file") as caught:
        Subprocess("thing", ["/nowhere/thing"], pipes=False)
    assert "/nowhere/thing" in caught.value.hint


def test_what_it_says_is_kept_within_a_limit():
    script = f"import sys; sys.stderr.write('a' * {STDERR_LIMIT} + 'the end'); sys.exit(3)"
    child = Subprocess("talker", [sys.executable, "-c", script], pipes=False)
    assert child.ended(10)
    assert child.fate() == "ended with status 3"
    assert child.stderr().endswith("the end")
    assert "[7 bytes before]" in child.stderr()
    child.close()


PARENT = f"""
import sys, time
from harness.link.subprocess import Subprocess
child = Subprocess("sleeper", {SLEEP!r}, pipes=True)
child.stdout.readline()
print(child.pid, flush=True)
{{end}}
"""


@pytest.mark.parametrize(
    ("end", "sent"),
    [
        ("raise RuntimeError", None),
        ("sys.exit(0)", None),
        ("time.sleep(300)", signal.SIGINT),
        pytest.param("time.sleep(300)", signal.SIGTERM, marks=LINUX),
        pytest.param("time.sleep(300)", signal.SIGKILL, marks=LINUX),
        pytest.param("import os; os._exit(1)", None, marks=LINUX),
    ],
)
def test_nothing_outlives_the_parent(end, sent):
    assert not outlives(PARENT.format(end=end), sent=sent)


WRAPPED = ["/bin/sh", "-c", '"$@"; exit $?', "wrapper", sys.executable, "-c"]
GRANDCHILD = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
PARENT_OF_WRAPPER = f"""
import sys, time
from harness.link.subprocess import Subprocess
child = Subprocess("sleeper", {[*WRAPPED, GRANDCHILD]!r}, pipes=True)
print(int(child.stdout.readline()), flush=True)
{{end}}
"""


@pytest.mark.parametrize(
    ("end", "sent"),
    [
        ("sys.exit(0)", None),
        ("import os; os._exit(1)", None),
        ("time.sleep(300)", signal.SIGTERM),
        ("time.sleep(300)", signal.SIGKILL),
    ],
)
def test_what_a_wrapper_started_does_not_outlive_the_parent(end, sent):
    assert not outlives(PARENT_OF_WRAPPER.format(end=end), sent=sent)


def test_what_a_wrapper_started_does_not_outlive_the_wrapper():
    child = Subprocess("wrapper", [*WRAPPED, GRANDCHILD], pipes=True)
    try:
        grandchild = int(child.stdout.readline())
        assert grandchild != child.pid and alive(grandchild)
        child.close()
        assert gone(grandchild)
        left = "import subprocess, sys; print(subprocess.Popen(['sleep', '300'], stderr=subprocess.DEVNULL).pid)"
        child = Subprocess("starter", [sys.executable, "-c", left], pipes=True)
        grandchild = int(child.stdout.readline())
        assert child.ended(10)
        assert child.fate() == "ended with status 0"
        assert gone(grandchild)
    finally:
        child.close()


@LINUX
def test_the_watcher_ends_with_its_child():
    child = Subprocess("sleeper", SLEEP, pipes=True)
    try:
        assert child.stdout.readline() == b"up\n"
        deadline = time.monotonic() + 5
        while not (watchers := _watchers(child.pid)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(watchers) == 1
    finally:
        child.close()
    assert gone(watchers[0])
    assert not _watchers(child.pid)


def _watchers(pid: int) -> list[int]:
    """Processes that watch over the group of `pid`."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if line.read_bytes().endswith(b"tinyhil-watch\0%d\0" % pid):
                found.append(int(line.parent.name))
    return found
