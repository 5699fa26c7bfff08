"""A folder that only this user can enter, and small files in it: on machines that others use, too."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path

from harness.files.reading import check_path

_MODE = 0o700
_NOTE_BYTES = 4096


class NotPrivateError(OSError):
    """A folder is there, but is another user's, open to others, or a link."""


def private_folder(path: Path) -> None:
    """Makes the folder if it is missing, and checks that it is this user's alone.

    Raises:
        NotPrivateError: it is a link, no directory, another user's, or has another mode than 0700.
        OSError: it cannot be made.
    """
    check_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=_MODE)
    facts = os.lstat(path)
    problem = ""
    if stat.S_ISLNK(facts.st_mode):
        problem = "is a symbolic link"
    elif not stat.S_ISDIR(facts.st_mode):
        problem = "is no directory"
    elif sys.platform != "win32":
        mode = stat.S_IMODE(facts.st_mode)
        if facts.st_uid != os.getuid():
            problem = f"belongs to user {facts.st_uid}, not to user {os.getuid()}"
        elif mode != _MODE:
            problem = f"has mode {mode:04o}, not {_MODE:04o}"
    if problem:
        raise NotPrivateError(errno.EPERM, f"{path} {problem}")


def write_note(path: Path, text: str) -> None:
    """Writes a small file anew, which no link can lead elsewhere; raises OSError."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def read_note(path: Path) -> str:
    """The text of such a file, or its beginning.

    Raises:
        OSError: it cannot be opened, or is a link or no file.
        ValueError: it is no text.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, f"{path} is no file")
        return file.read(_NOTE_BYTES).decode("utf-8")
