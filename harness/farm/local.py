"""Leases on one host, without labgrid: lock files, and a queue of tickets.

The operating system frees the lock of a process that ends in any way, so there is nothing to reap.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from harness.boards.lease import Lease, lease_folder
from harness.errors import FarmError, FarmFullError, LeasedError, TinyhilError
from harness.farm.bench import Bench, load_bench, resolve_entry
from harness.farm.health import BoardRecords
from harness.files.locks import HeldError, OwnedLock
from harness.files.private import private_folder

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.build.image import Image
    from harness.farm.address import FarmAddress

_POLL_S = 0.05
_KIND = "farm-board"


class LocalLease:
    """A lease of a board of this host."""

    def __init__(self, name: str, resolved: Resolved, lock: Lease, records: BoardRecords) -> None:
        self.name = name
        self.resolved = resolved
        self._lock = lock
        self._records = records
        self._released = False

    @property
    def alive(self) -> bool:
        """Whether it was not given back."""
        return not self._released

    def open(self, image: Image, *, icount: bool = True) -> Session:
        """The board's own session."""
        from harness.boards import open_session

        return open_session(self.resolved, image, icount=icount)

    def good(self) -> None:
        """Notes a good job."""
        if self._records[self.name].in_a_row:
            self._records[self.name] = self._records[self.name].good()
            self._records.save()

    def trouble(self, error: TinyhilError) -> None:
        """Notes a trouble."""
        self._records[self.name] = self._records[self.name].trouble(error.code, error.message, time.time())

    def release(self) -> None:
        """Gives the lock back."""
        self._released = True
        self._lock.release()


class LocalLeases:
    """Leases of a bench of this host."""

    def __init__(self, farm: FarmAddress) -> None:
        """Raises FarmFileError, BoardConfigError, BoardError."""
        assert farm.bench is not None
        self._farm = farm
        self._bench: Bench = load_bench(farm.bench)

    def lease(self, board: str, wait_s: float, *, avoid: str = "", prefer: str = "") -> LocalLease:
        """See harness.farm.leases.Leases."""
        fitting = [
            name
            for name, entry in self._bench.boards.items()
            if entry.board == board
            and name != avoid
            and prefer in ("", name)
            and all(entry.tags.get(key) == value for key, value in self._farm.tags.items())
        ]
        if not fitting:
            types = sorted({entry.board for entry in self._bench.boards.values()})
            besides = f" besides {avoid}" if avoid else ""
            raise FarmFullError(
                f"bench {self._farm.bench} has no board {board}{besides}", hint=f"it has: {', '.join(types)}"
            )
        deadline = time.monotonic() + wait_s
        with _Ticket(self._bench.name, board, self._farm.priority) as ticket:
            while True:
                records = local_records(self._bench)
                usable = [name for name in fitting if not records[name].quarantined]
                if not usable:
                    raise FarmFullError(
                        f"every board {board} of bench {self._farm.bench} is in quarantine",
                        hint="`tinyhil farm status` tells why, `tinyhil farm release BOARD` gives one back",
                    )
                if ticket.place() < len(usable):
                    for name in usable:
                        with contextlib.suppress(LeasedError):
                            return self._take(name, records)
                if time.monotonic() >= deadline:
                    raise FarmFullError(
                        f"no board {board} of bench {self._farm.bench} became free in {wait_s:.0f} s",
                        hint="--farm ...,wait=SECONDS waits longer",
                    )
                time.sleep(_POLL_S)

    def _take(self, name: str, records: BoardRecords) -> LocalLease:
        lock = Lease(_KIND, f"{self._bench.name}/{name}", wait_s=0.0)
        try:
            return LocalLease(name, resolve_entry(self._bench.boards[name]), lock, records)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Nothing to let go of."""


def local_records(bench: Bench) -> BoardRecords:
    """What is known of the boards of a bench of this host. Raises BoardError."""
    return BoardRecords(lease_folder() / f"farm-{bench.name}.json", tuple(bench.boards))


def local_holder(bench: Bench, board: str) -> str:
    """Who has a board of this host; "" if nobody has."""
    try:
        Lease(_KIND, f"{bench.name}/{board}", wait_s=0.0).release()
    except LeasedError as error:
        return error.message.partition(" is in use by ")[2]
    return ""


class _Ticket:
    """A place in the queue for the boards of a type: a locked file, named so that those before us sort before us."""

    _last = 0
    _numbering = threading.Lock()

    def __init__(self, bench: str, board: str, priority: float) -> None:
        """Raises FarmError if the queue's folder cannot be used."""
        folder = lease_folder() / f"queue-{bench}-{board}"
        with _Ticket._numbering:
            _Ticket._last = now = max(time.time_ns(), _Ticket._last + 1)
        name = f"{int(1e9 - priority * 100):012d}-{now:020d}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        try:
            private_folder(folder)
            self._lock = OwnedLock(folder / f"{name}.ticket", 2.0)
        except OSError as error:
            raise FarmError(
                f"{folder}: the queue cannot be used: {error.strerror or error}", hint="is the folder yours?"
            ) from error
        self._path = folder / f"{name}.ticket"

    def place(self) -> int:
        """How many are before us; tickets of processes that have ended are thrown away."""
        before = 0
        for path in sorted(self._path.parent.glob("*.ticket")):
            if path.name >= self._path.name:
                break
            if _is_stale(path):
                path.unlink(missing_ok=True)
            else:
                before += 1
        return before

    def __enter__(self) -> _Ticket:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _is_stale(path: Path) -> bool:
    """Whether nobody holds a ticket."""
    try:
        OwnedLock(path, 0.0).release()
    except HeldError:
        return False
    except OSError:
        return not path.exists()
    return True
