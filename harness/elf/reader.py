"""Opens ELF files (System V ABI, chapter 4), for the readers of this room."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import ImageFileError, TinyhilError
from harness.files.reading import open_regular, read_beginning

_MAGIC = b"\x7fELF"
_MAX_BYTES = 1 << 30


@contextmanager
def open_elf(path: Path) -> Iterator[Any]:
    """An `elftools.elf.elffile.ELFFile`, open within the block.

    Raises:
        ImageFileError: the file cannot be opened, or is no whole ELF file.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > _MAX_BYTES:
                raise OSError(errno.EFBIG, f"more than {_MAX_BYTES:,} bytes")
            yield ELFFile(file)
    except TinyhilError:
        raise
    except Exception as error:  # of a damaged file pyelftools raises whatever it runs into
        known = isinstance(error, OSError | ELFError)
        reason = getattr(error, "strerror", None) or (error if known else f"it is damaged ({type(error).__name__})")
        raise ImageFileError(f"{path} cannot be read as an ELF file: {reason}", hint="build the image again") from error


def is_elf(path: Path) -> bool:
    """Whether a file begins as ELF files do; executables of macOS and Windows do not. Raises OSError."""
    return read_beginning(path, len(_MAGIC)) == _MAGIC


def relocation_number(name: str) -> int:
    """The number of one of Arm's types of relocation, such as "R_ARM_ABS32"."""
    from elftools.elf.enums import ENUM_RELOC_TYPE_ARM

    return int(ENUM_RELOC_TYPE_ARM[name])
