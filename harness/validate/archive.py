"""Reads .npz files, which are ZIP archives of arrays, within bounds: whatever their directory claims."""

from __future__ import annotations

import errno
import io
import zipfile
import zlib
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

from numpy.lib import format as npy

from harness.files.reading import TooLargeError, open_regular
from harness.quantization.types import Array

_MAX_DIRECTORY = 1 << 20
"""Most bytes of an archive's directory; of 10,000 arrays it has some 600 kB."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What numpy writes. Of others some bytes may become hundreds of megabytes at once."""

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

BROKEN = (
    OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, OverflowError, MemoryError, RecursionError,
    NotImplementedError, zipfile.BadZipFile, zlib.error, SyntaxError,
)  # fmt: skip
"""What reading a damaged archive raises: zipfile, zlib and numpy have no common error."""


class _Bounded(io.RawIOBase):
    """A file of which, until its directory is read, no read takes more than a directory may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.limit: int | None = _MAX_DIRECTORY

    def read(self, size: int = -1) -> bytes:
        """Raises TooLargeError: more is asked for, and there."""
        if self.limit is None:
            return self._file.read(size)
        data = self._file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(data) > self.limit:
            raise TooLargeError(errno.EFBIG, f"its directory has more than {self.limit:,} bytes")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """See io."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """See io."""
        return self._file.tell()

    def seekable(self) -> bool:
        """See io."""
        return True


def read_arrays(path: Path, wanted: Callable[[str], bool], limit: int) -> dict[str, Array]:
    """The arrays whose names are `wanted`.

    Raises:
        TooLargeError: unpacked, all members together have more than `limit` bytes; or the directory is too large.
        BROKEN: it is no archive, or damaged, or holds something else than arrays under such names.
    """
    with open_regular(path) as file:
        bounded = _Bounded(file)
        with zipfile.ZipFile(bounded) as archive:
            bounded.limit = None
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > limit:
                raise TooLargeError(errno.EFBIG, f"{size} bytes unpacked, more than {limit:,}")
            named = {member.filename.removesuffix(".npy"): member for member in members}
            return {name: _read(archive, member) for name, member in named.items() if wanted(name)}


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    if member.compress_type not in _METHODS:
        raise ValueError(f"{member.filename} is packed by method {member.compress_type}, which numpy does not use")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"{member.filename} has format {version}")
        shape, _, dtype = _HEADERS[version](file)
        if prod(shape) * dtype.itemsize > member.file_size:
            told = f"{list(shape)} of {dtype}, more than its {member.file_size:,} bytes"
            raise ValueError(f"{member.filename} claims {told}")
    with archive.open(member) as file:
        return cast(Array, npy.read_array(file, allow_pickle=False))
