"""Whether processes of this machine still run, as /proc tells, and whether they outlive who started them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for (a zombie) does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def gone(pid: int, timeout_s: float = 5.0) -> bool:
    """Whether a process has ended, waited for up to `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not alive(pid)


def outlives(code: str, *arguments: str, sent: int | None = None) -> bool:
    """Whether the process whose id a Python program prints first runs on when that program has ended.

    Args:
        code: of the program.
        arguments: of the program.
        sent: the signal that ends it, shortly after it printed; None where it ends by itself.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, *arguments]
    user = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    try:
        assert user.stdout is not None
        pid = int(user.stdout.readline())
        time.sleep(random.random() * 0.1)
        if sent is not None:
            user.send_signal(sent)
        user.wait(10)
        return not gone(pid)
    finally:
        user.kill()
        user.wait()
        user.stdout.close()
