"""Reads files that a person names, within bounds: only regular files, and only so many bytes.

A device, a pipe or a socket in the place of a file may never end or never begin; it is refused before it is opened.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


_MOST_HASHED = 1 << 30


def check_path(path: str | os.PathLike[str]) -> None:
    """Raises OSError if no file can have such a path: it holds a NUL, or a surrogate that stands for no byte."""
    try:
        possible = b"\0" not in os.fsencode(path)
    except ValueError:
        possible = False
    if not possible:
        raise OSError(errno.EINVAL, "no file has a path with such a character")


class TooLargeError(OSError):
    """A file has more bytes than its reader takes."""


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading within the block.

    Raises:
        OSError: it cannot be opened, is no regular file, or its path is none that a file can have.
    """
    check_path(path)
    _check_regular(os.stat(path).st_mode)
    # The file may have become another meanwhile: a pipe must not block.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        _check_regular(os.fstat(handle).st_mode)
        yield file


def read_regular(path: Path, limit: int) -> bytes:
    """All bytes of a regular file of at most `limit` bytes.

    Raises:
        TooLargeError: it has more.
        OSError: see open_regular.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = b"" if size > limit else file.read(size + 1)
        if len(data) > size:  # it has grown, or its file system does not tell sizes
            data += file.read(limit + 1 - len(data))
    if max(size, len(data)) > limit:
        raise TooLargeError(errno.EFBIG, f"more than {limit:,} bytes")
    return data


def read_beginning(path: Path, size: int) -> bytes:
    """The first bytes of a regular file, at most `size`. Raises OSError: see open_regular."""
    with open_regular(path) as file:
        return file.read(size)


def sha256_of(path: Path, limit: int = _MOST_HASHED) -> str:
    """SHA-256 of the bytes of a regular file of at most `limit` bytes, hexadecimal.

    Raises:
        TooLargeError: it has more.
        OSError: see open_regular.
    """
    state = hashlib.sha256()
    left = limit
    with open_regular(path) as file:
        while part := file.read(1 << 20):
            state.update(part)
            left -= len(part)
            if left < 0:
                raise TooLargeError(errno.EFBIG, f"more than {limit:,} bytes")
    return state.hexdigest()


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "no regular file")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file")
