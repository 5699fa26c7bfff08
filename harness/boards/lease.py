"""Leases: one process at a time uses a probe, a serial port or a board.

A lease is a lock on a file in a folder of the user's; the operating system releases it when the process ends in any
way. A note beside it names the owner. All processes of tinyhil on this machine use the same folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Self

from platformdirs import user_runtime_dir

from harness.errors import BoardError, LeasedError
from harness.files.locks import HeldError, OwnedLock, seconds_from
from harness.files.private import NotPrivateError, private_folder

FOLDER_VARIABLE = "TINYHIL_LEASES"
WAIT_VARIABLE = "TINYHIL_LEASE_WAIT"
# Set in workers of pytest-xdist, which take turns with one board
_WORKER_VARIABLE = "PYTEST_XDIST_WORKER"
_WORKER_WAIT_S = 600.0


def lease_folder() -> Path:
    """The folder of all leases: $TINYHIL_LEASES, else the user's runtime folder, else one among temporary files.

    Raises:
        BoardError: it cannot be created, or is not this user's alone.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    places = [Path(named)] if named else [Path(tempfile.gettempdir()) / f"tinyhil-{user}"]
    if not named and (not sys.platform.startswith("linux") or "XDG_RUNTIME_DIR" in os.environ):
        places.insert(0, Path(user_runtime_dir("tinyhil", appauthor=False)))
    for place in places:
        try:
            private_folder(place)
        except NotPrivateError as error:  # another folder would not exclude those who use this one
            raise BoardError(
                f"leases are not kept in a folder that others may change: {error.strerror}",
                hint=f"remove it or `chmod 700` it, or set {FOLDER_VARIABLE} to a folder that only you can enter",
            ) from None
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    raise BoardError(f"no folder for leases: {places[-1]} cannot be written", hint=f"set {FOLDER_VARIABLE} to a folder")


def lease_wait_s() -> float:
    """Seconds to wait for another process: $TINYHIL_LEASE_WAIT; by default 0 except for workers of pytest-xdist."""
    return seconds_from(WAIT_VARIABLE, _WORKER_WAIT_S if _WORKER_VARIABLE in os.environ else 0.0)


class Lease:
    """A probe, port or board that only this process uses."""

    def __init__(self, kind: str, name: str, *, wait_s: float | None = None) -> None:
        """Takes the lease.

        Args:
            kind: such as "probe".
            name: its unique id or device name.
            wait_s: how long to wait for another owner; None for lease_wait_s().

        Raises:
            LeasedError: another process has it; the message names that process.
        """
        self.kind = kind
        self.name = name
        folder = lease_folder()
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", f"{kind}-{name}")[:80]
        # A hash, since names may differ only in the characters replaced above.
        stem += "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
        try:
            self._lock = OwnedLock(folder / f"{stem}.lock", lease_wait_s() if wait_s is None else wait_s)
        except HeldError as error:
            raise LeasedError(
                f"{kind} {name} is in use by {error.strerror}",
                hint=f"wait for it or end it; {WAIT_VARIABLE}=SECONDS makes tinyhil wait",
            ) from None
        except OSError as error:
            raise LeasedError(
                f"{kind} {name} cannot be leased: {error.strerror or error}",
                hint=f"is {folder} a folder of yours? See {FOLDER_VARIABLE}",
            ) from error

    def release(self) -> None:
        """Releases the lease; may be called again."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
