"""What of an image is loaded: its segments of type PT_LOAD."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.elf.reader import open_elf


@dataclass(frozen=True)
class Segment:
    """A range of memory that a program wants filled.

    Attributes:
        address: where it is while the program runs (p_vaddr).
        data: its bytes in the file; the rest of its memory is zeroed.
        load_address: where its bytes are loaded, in flash for what the program copies to RAM at start (p_paddr).
        size: bytes of memory, at least as many as `data` has (p_memsz).
    """

    address: int
    data: bytes
    load_address: int
    size: int


def read_segments(elf: Path) -> tuple[Segment, ...]:
    """Segments in the order of the program headers.

    Raises:
        ImageFileError: the file cannot be read.
    """
    with open_elf(elf) as image:
        return tuple(
            Segment(int(found["p_vaddr"]), bytes(found.data()), int(found["p_paddr"]), int(found["p_memsz"]))
            for found in image.iter_segments("PT_LOAD")
        )


def loadable_segments(elf: Path) -> tuple[Segment, ...]:
    """The segments that have bytes in the file, by load address: what goes into flash.

    Raises:
        ImageFileError: the file cannot be read.
    """
    found = [segment for segment in read_segments(elf) if segment.data]
    return tuple(sorted(found, key=lambda segment: segment.load_address))
