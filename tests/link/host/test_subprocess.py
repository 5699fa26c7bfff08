"""Programs that end with whoever started them, and what they said."""

import signal
import sys
import threading
import time

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
