"""Locks between processes: with a limit on waiting, and a note that says who holds them.

A lock is the operating system's, on an open file: it ends with its process, however that ends, and a file that is left
over locks nothing. The note beside it is for messages alone.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import json
import math
import os
import socket
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from harness.files.private import read_note, write_note

_POLL_S = 0.05
_SHOWN_COMMAND = 100


class HeldError(OSError):
    """Another process has held a lock for as long as we waited; `strerror` names it."""


class OwnedLock:
    """A lock on a file, taken when made."""

    def __init__(self, path: Path, wait_s: float) -> None:
        """Takes the lock.

        Args:
            path: of the file to lock; the note is beside it, with suffix `.owner`.
            wait_s: seconds to wait for another owner.

        Raises:
            HeldError: another process has it still.
            OSError: the file cannot be locked, or is a link.
        """
        self._note = path.with_suffix(".owner")
        if path.is_symlink():
            raise OSError(errno.ELOOP, f"{path} is a symbolic link")
        self._lock = FileLock(path, is_singleton=False, thread_local=False)
        try:
            self._lock.acquire(timeout=wait_s, poll_interval=_POLL_S)
        except Timeout:
            raise HeldError(errno.EBUSY, owner(self._note)) from None
        except (RuntimeError, NotImplementedError) as error:  # this thread has it already; no locks on this disk
            raise OSError(errno.ENOLCK, str(error)) from error
        with contextlib.suppress(OSError):
            write_note(self._note, json.dumps(_ourselves()))

    def release(self) -> None:
        """Releases the lock; may be called again."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink(missing_ok=True)
            self._lock.release()


def seconds_from(variable: str, default: float) -> float:
    """A number of seconds that an environment variable may set; `default` where it holds none."""
    try:
        seconds = float(os.environ.get(variable, ""))
    except ValueError:
        return default
    return default if math.isnan(seconds) else max(seconds, 0.0)


def owner(note: Path) -> str:
    """Who holds a lock, in words, by its note."""
    for _ in range(5):  # it may be about to write its note
        try:
            facts = json.loads(read_note(note))
            since = max(time.time() - float(facts["since"]), 0.0)
            where = "" if facts.get("host") in (None, socket.gethostname()) else f" on {facts['host']}"
            ended = "" if where or _runs(int(facts["pid"])) else "; it has ended, but not what it started"
            who = f"process {int(facts['pid'])}{where} of user {facts.get('user', '?')}"
            return f"{who} ({facts['command']}), for {since:.0f} s{ended}"
        except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
            time.sleep(0.02)
    return "another process"


def _ourselves() -> dict[str, object]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else "python"
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else "?"
    return {
        "pid": os.getpid(),
        "user": user,
        "host": socket.gethostname(),
        "command": command[:_SHOWN_COMMAND],
        "since": time.time(),
    }


def _runs(pid: int) -> bool:
    if os.name != "posix" or pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    return True
