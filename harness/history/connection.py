"""Opens a store: a SQLite file in WAL mode, so that readers and one writer at a time get on with each other.

Whatever SQLite says of the file becomes one error that names it and what to do.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HistoryError
from harness.files.reading import check_path
from harness.history.schema import APPLICATION_ID, STEPS, VERSION

VARIABLE, DEFAULT = "TINYHIL_HISTORY", "default"
WAIT_S = 60.0
"""How long a writer waits for others."""

_NEW = "choose another file with --history or TINYHIL_HISTORY"


def store_path(named: Path | None = None) -> Path:
    """The file that is named, else that of $TINYHIL_HISTORY; for "default" and without both that of the user."""
    named = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named and str(named) != DEFAULT:
        return named.expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("tinyhil", appauthor=False)) / "history.db"


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection to a store of the latest schema; an older one is brought to it first, where it may be written.

    Args:
        path: of the file.
        create: make it, and its folder, where it is missing.

    Raises:
        HistoryError: it is missing, cannot be opened, is of a later schema, or is no store.
    """
    _check_file(path, create)
    with told(path):
        connection, writable = _open(path)
        try:
            _check_own(connection, path, writable)
            _migrate(connection, path, writable)
            if writable:
                _share(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Context of all use of a store; what SQLite says is raised as HistoryError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _error(path, error) from error
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}", hint=_NEW) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written in the block, or nothing of it; waits for other writers."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_file(path: Path, create: bool) -> None:
    """Refuses what is no file, and what is not there; makes the folder with `create`."""
    try:
        check_path(path)
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise HistoryError(f"{path}: no file, so it can be no history", hint=_NEW)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not create:
            raise HistoryError(
                f"{path}: there is no history yet",
                hint="`tinyhil validate --history FILE` or `tinyhil import BUNDLE` makes one; --history names another",
            ) from error
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise HistoryError(f"{path}: cannot be made: {problem.strerror}", hint=_NEW) from problem
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror or error}", hint=_NEW) from error


def _open(path: Path) -> tuple[sqlite3.Connection, bool]:
    """(connection, whether it may write)."""
    folder = path.absolute().parent
    writable = os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))
    if not writable and not path.exists():
        raise HistoryError(f"{path}: cannot be made: {folder} cannot be written", hint=_NEW)
    if writable:
        return _connection(path, "rwc"), True
    try:
        return _connection(path, "ro"), False
    except sqlite3.OperationalError:  # WAL wants to write beside the file; nobody can here, so it does not change
        return _connection(path, "ro&immutable=1"), False


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def _share(connection: sqlite3.Connection) -> None:
    """Lets readers read while one writes; SQLite does not wait by itself for others who change this, so we do."""
    end = time.monotonic() + WAIT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return  # or what the file system can do instead
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_own(connection: sqlite3.Connection, path: Path, writable: bool) -> None:
    """Refuses another program's database, and a store of a later tinyhil."""
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if application != APPLICATION_ID and (tables or not writable):
        raise HistoryError(f"{path}: a database of another program, not a history of tinyhil", hint=_NEW)
    found = _version(connection)
    if found > VERSION:
        raise HistoryError(
            f"{path}: a history of schema version {found}; this tinyhil knows up to {VERSION}",
            hint="use the tinyhil that made it, or a later one; " + _NEW,
        )


def _migrate(connection: sqlite3.Connection, path: Path, writable: bool) -> None:
    """Makes the steps that the store lacks, all or none of them."""
    if _version(connection) == VERSION:
        return
    if not writable:
        raise HistoryError(
            f"{path}: a history of schema version {_version(connection)}, which must be brought to {VERSION} first, "
            f"and it cannot be written",
            hint="`tinyhil history --history FILE` once, by somebody who may write it; or copy it",
        )
    with transaction(connection):
        for step in STEPS[_version(connection) :]:  # read again: another process may have been first
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _error(path: Path, error: sqlite3.Error) -> HistoryError:
    said = str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return HistoryError(
            f"{path}: another process has been writing for more than {WAIT_S:.0f} s", hint="wait for it, then try again"
        )
    if code == sqlite3.SQLITE_FULL:
        return HistoryError(f"{path}: the disk is full; nothing was added", hint="free some space")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return HistoryError(f"{path}: cannot be written: {said}", hint=f"make it and its folder writable, or {_NEW}")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or isinstance(error, sqlite3.DatabaseError):
        return HistoryError(
            f"{path}: no history, or a damaged one: {said}",
            hint=f"bring back a copy, or {_NEW} and import the bundles again (`tinyhil import`)",
        )
    return HistoryError(f"{path}: {said}", hint=_NEW)
