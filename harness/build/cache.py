"""A content-addressed store of files that are expensive to make.

An entry is a file and beside it the SHA-256 of the file, its seal. Both are put in place by atomic renames, the seal
last, so that an interrupted writer leaves no entry and two writers of one key leave a complete one. A file that does
not match its seal is no entry, and is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BuildError

DEFAULT_LIMIT = 4_000_000_000
PRUNE_INTERVAL_S = 24 * 3600
WAIT_VARIABLE = "TINYHIL_CACHE_WAIT"
DEFAULT_WAIT_S = 600.0
"""Seconds to wait for another process that makes the same entry: as long as the slowest build."""


def default_root() -> Path:
    """$TINYHIL_CACHE, else the user's cache folder."""
    named = os.environ.get("TINYHIL_CACHE")
    if named:
        return Path(named).expanduser().absolute()  # tools are run in other working directories
    import platformdirs

    return Path(platformdirs.user_cache_dir("tinyhil"))


def digest(*parts: str | bytes) -> str:
    """SHA-256 in hex over the parts, each preceded by its length so that different lists have different digests."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file atomically: other processes see all of it or none."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@dataclass(frozen=True)
class BuildCache:
    """The store.

    Attributes:
        root: its folder; made when it is first written to.
        limit: bytes above which the least recently used entries are removed, once a day.
    """

    root: Path
    limit: int = DEFAULT_LIMIT

    def path(self, key: str, suffix: str) -> Path:
        """The path of an entry's file, whether it exists or not."""
        return self.root / "objects" / key[:2] / f"{key}{suffix}"

    def find(self, key: str, suffix: str) -> Path | None:
        """The entry's file if it exists and matches its seal, else None."""
        path = self.path(key, suffix)
        try:
            seal = path.with_name(path.name + ".sha256").read_text()
            data = path.read_bytes()
        except (OSError, UnicodeDecodeError):
            return None
        if hashlib.sha256(data).hexdigest() != seal:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return path

    def put(self, key: str, suffix: str, data: bytes, mode: int = 0o644) -> Path:
        """Store an entry; `mode` are the file's permissions.

        Raises:
            BuildError: the cache folder cannot be written to.
        """
        path = self.path(key, suffix)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, data, mode)
            write_atomic(path.with_name(path.name + ".sha256"), hashlib.sha256(data).hexdigest().encode())
        except OSError as error:
            raise self._unwritable(error) from error
        return path

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """A lock between processes: one makes an entry, the others wait and then find it.

        Raises:
            BuildError: another process has held it for $TINYHIL_CACHE_WAIT seconds (600), or it cannot be made.
        """
        from harness.files.locks import HeldError, OwnedLock, seconds_from

        path = self.root / "locks" / f"{key}.lock"
        wait_s = seconds_from(WAIT_VARIABLE, DEFAULT_WAIT_S)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = OwnedLock(path, wait_s)
        except HeldError as error:
            raise BuildError(
                f"the cache folder {self.root} waits for what {error.strerror} is building, after {wait_s:g} s",
                hint=f"end that process, or set {WAIT_VARIABLE} to more seconds or TINYHIL_CACHE to another folder",
            ) from None
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A temporary folder in the cache, removed at the end of the block."""
        try:
            (self.root / "work").mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(dir=self.root / "work", prefix="b-", ignore_cleanup_errors=True)
        except OSError as error:
            raise self._unwritable(error) from error
        with folder as name:
            yield Path(name)

    def prune(self, *, now: float | None = None) -> int:
        """Remove the least recently used entries until the rest is below the limit; returns how many.

        Does nothing if it ran within the last day. Also removes workspaces that killed processes left.
        """
        now = time.time() if now is None else now
        stamp = self.root / "pruned"
        with contextlib.suppress(OSError):
            if now - stamp.stat().st_mtime < PRUNE_INTERVAL_S:
                return 0
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            stamp.touch()
            os.utime(stamp, (now, now))
        except OSError as error:
            raise self._unwritable(error) from error
        self._remove_abandoned(now)
        entries = []
        for path in (self.root / "objects").glob("*/*"):
            with contextlib.suppress(OSError):
                if path.suffix != ".sha256":
                    facts = path.stat()
                    entries.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in entries)
        removed = 0
        for _, size, path in sorted(entries):
            if total <= self.limit:
                break
            # The seal first: a file without a seal is no entry.
            for file in (path.with_name(path.name + ".sha256"), path):
                with contextlib.suppress(OSError):
                    file.unlink()
            total -= size
            removed += 1
        return removed

    def _remove_abandoned(self, now: float) -> None:
        import shutil

        for folder in (self.root / "work").glob("*"):
            with contextlib.suppress(OSError):
                if now - folder.stat().st_mtime > PRUNE_INTERVAL_S:
                    shutil.rmtree(folder, ignore_errors=True)
        for lock in (self.root / "locks").glob("*"):
            with contextlib.suppress(OSError):
                if now - lock.stat().st_mtime > 7 * PRUNE_INTERVAL_S:
                    lock.unlink()

    def _unwritable(self, error: OSError) -> BuildError:
        return BuildError(
            f"the cache folder {self.root} cannot be used: {error.strerror or error}",
            hint="free disk space there, or set TINYHIL_CACHE to a folder you can write to",
        )
