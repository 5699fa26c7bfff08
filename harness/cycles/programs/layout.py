"""The layout of a program's image on a board: its code, in which memory each address lies, exception handlers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cycles.image import Code
from harness.cycles.memory import MemorySystem, Span
from harness.elf.reader import open_elf
from harness.elf.sections import read_debug_section
from harness.elf.segments import Segment, loadable_segments, read_segments
from harness.elf.symbols import THUMB
from harness.errors import ImageFileError, ProfileError
from harness.hardware.board import Board

_FIRST_HANDLER = 2  # after the stack's end and reset
_SYSTEM_HANDLERS = 16


def check_image(elf: Path) -> None:
    """Whether a file is a program for an Arm core.

    Raises:
        ImageFileError: it cannot be read, or is something else.
    """
    with open_elf(elf) as image:
        machine, kind = str(image["e_machine"]), str(image["e_type"])
    if (machine, kind) != ("EM_ARM", "ET_EXEC"):
        raise ImageFileError(
            f"{elf} is no linked program for an Arm core ({machine}, {kind})",
            hint="name the ELF file that the linker wrote, as arm-none-eabi-gcc does with -o app.elf",
        )


def compilers(elf: Path) -> str:
    """The compilers that an image says it was made by; "" where it says none. Raises ImageFileError."""
    said = read_debug_section(elf, ".comment").split(b"\0")
    return ", ".join(dict.fromkeys(text.decode("utf-8", "replace") for text in said if text))


def read_code(elf: Path) -> Code:
    """The code and constants of an image.

    Raises:
        ImageFileError: it cannot be read.
    """
    return Code([segment for segment in read_segments(elf) if segment.data])


def spans_of(board: Board) -> tuple[Span, ...]:
    """The board's memories by address; each is a part of its own."""
    regions = sorted(board.memory, key=lambda region: region.origin)
    return tuple(Span(region.origin, region.size, region.name) for region in regions)


def placed_by_address(system: MemorySystem, board: Board) -> MemorySystem:
    """The memory system in which each memory is a part, as in spans_of()."""
    return MemorySystem(system.name, system.memories, {region.name: region.name for region in board.memory})


def handlers(elf: Path, board: Board) -> tuple[int, ...]:
    """Addresses of exception handlers in the vector table that the core starts with, each once.

    The table is at the lowest address that is loaded into the board's flash. It ends at the latest where the first word
    is that is no address of the image's code.

    Raises:
        ImageFileError: the image cannot be read.
        ProfileError: nothing of the image is for the board's flash.
    """
    flash = [region for region in board.memory if region.kind == "flash"]
    segments = [
        segment
        for segment in loadable_segments(elf)
        if any(region.origin <= segment.load_address < region.origin + region.size for region in flash)
    ]
    if not segments:
        raise ProfileError(
            f"{elf.name} has nothing for the flash of {board.name}",
            hint="build it for this board, or name another with --board",
        )
    data = segments[0].data
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, min(len(data), 4 * 512), 4)]
    found: set[int] = set()
    for number, word in enumerate(words[_FIRST_HANDLER:], _FIRST_HANDLER):
        if word & THUMB and _holds(segments, word & ~THUMB):
            found.add(word & ~THUMB)
        elif number >= _SYSTEM_HANDLERS and word:
            break
    return tuple(sorted(found))


def _holds(segments: Sequence[Segment], address: int) -> bool:
    return any(segment.address <= address < segment.address + len(segment.data) for segment in segments)
