"""Opens ELF files (System V ABI, chapter 4), for the readers of this room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import ImageFileError

_MAGIC = b"\x7fELF"


@contextmanager
def open_elf(path: Path) -> Iterator[Any]:
    """An `elftools.elf.elffile.ELFFile`, open within the block.

    Raises:
        ImageFileError: the file cannot be opened, or is no whole ELF file.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with path.open("rb") as file:
            yield ELFFile(file)
    except (OSError, ELFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageFileError(f"{path} cannot be read as an ELF file: {reason}", hint="build the image again") from error


def is_elf(path: Path) -> bool:
    """Whether a file begins as ELF files do; executables of macOS and Windows do not. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
