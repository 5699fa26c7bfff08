"""What of an ELF file goes into memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import BoardError


def segments(elf: Path) -> Iterator[tuple[int, bytes]]:
    """Load address and bytes of each segment that has bytes in the file.

    Raises:
        BoardError: it is not an ELF file.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with elf.open("rb") as file:
            for segment in ELFFile(file).iter_segments():
                if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                    yield int(segment["p_paddr"]), bytes(segment.data())
    except (OSError, ELFError) as error:
        raise BoardError(f"{elf} cannot be loaded: {error}", hint="build the image again") from error
