"""Writes files of ours whole or not at all: aside first, then by renames, so that a full disk leaves the old ones.

Every OSError that leaves here names the file or folder that could not be written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.files.reading import check_path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NEW, _OLD = "new", "old"
_PREFIX = ".tinyhil-"
_YOUNG_S = 60.0


def is_full(error: OSError) -> bool:
    """Whether a file could not be written because there is no room, rather than no permission."""
    return error.errno in _FULL


def writing_hint(path: Path, error: OSError) -> str:
    """What to do about a file or folder that could not be written, by what stands in the way."""
    if is_full(error):
        return "free some space, or write elsewhere"
    if isinstance(error, NotADirectoryError | FileExistsError):
        file = next((place for place in (path, *path.parents) if os.path.isfile(place)), None)
        if file is not None:
            return f"{file} is a file: name a folder, or move the file away"
    if isinstance(error, IsADirectoryError) and os.path.isdir(path):
        return f"{path} is a folder: name a file"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return "choose a folder that you may write to"
    return "choose another folder"


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder within `folder`, which is made if missing, for files that `publish` moves there; gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    check_path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        with _held(made):
            (made / _NEW).mkdir()
            yield made / _NEW
    finally:
        shutil.rmtree(made, ignore_errors=True)


def publish(staged: Path, folder: Path, names: Sequence[str], removed: Sequence[str] = ()) -> None:
    """Removes files of a folder, then moves those of a staging folder in it there, in order; a failure undoes it all.

    Raises:
        OSError: a file cannot be moved.
    """
    kept = staged.with_name(_OLD)
    undo: list[Callable[[], object]] = []
    try:
        for name in removed:
            target, old = folder / name, kept / name
            old.parent.mkdir(parents=True, exist_ok=True)
            os.replace(target, old)
            undo.append(lambda target=target, old=old: os.replace(old, target))  # type: ignore[misc]
        for name in names:
            target, old = folder / name, kept / name
            old.parent.mkdir(parents=True, exist_ok=True)
            for missing in reversed([parent for parent in target.parents if not parent.is_dir()]):
                missing.mkdir()
                undo.append(missing.rmdir)
            if target.is_file() or target.is_symlink():
                _keep(target, old)
                undo.append(lambda target=target, old=old: os.replace(old, target))  # type: ignore[misc]
            else:
                undo.append(lambda target=target: target.unlink(missing_ok=True))  # type: ignore[misc]
            os.replace(staged / name, target)
    except BaseException:
        for step in reversed(undo):
            with contextlib.suppress(OSError):
                step()
        raise


def write_new(path: Path, content: str | bytes, *, errors: str = "strict") -> None:
    """Writes a file in a staging folder, text as UTF-8 with line feeds, and to the disk before it gets its name.

    Raises:
        OSError: it cannot be written; the error names it.
    """
    try:
        with path.open("wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode("utf-8", errors))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise named(error, path) from error


def copy_new(source: Path, path: Path) -> None:
    """Copies a file into a staging folder, with its mode.

    Raises:
        OSError: it cannot be written; the error names it.
    """
    try:
        shutil.copy(source, path)
    except OSError as error:
        raise named(error, path) from error


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes one file; an older one stays until the new one is whole.

    Raises:
        OSError: it cannot be written; the error names it.
    """
    with staging(path.parent) as staged:
        write_new(staged / path.name, content)
        publish(staged, path.parent, [path.name])


def named(error: OSError, path: Path) -> OSError:
    """The same error with the file's name, which errors of writing lack."""
    return error if error.filename else OSError(error.errno, error.strerror or str(error), str(path))


def reason(error: OSError) -> str:
    """What happened, and to which file."""
    name = f" ({Path(os.fsdecode(error.filename)).name})" if isinstance(error.filename, str | bytes) else ""
    return f"{error.strerror or error}{name}"


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Locks a folder for as long as this process lives in the block; False where another process holds it."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield False
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Removes staging folders that killed processes left; a young one may not be locked yet."""
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > _YOUNG_S and left.is_dir() and not left.is_symlink():
                with _held(left) as free:
                    if free:
                        shutil.rmtree(left, ignore_errors=True)


def _keep(target: Path, old: Path) -> None:
    try:
        os.link(target, old, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        os.replace(target, old)
