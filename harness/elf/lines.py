"""The line table of an image (DWARF versions 2 to 5, section 6.2): which source line each address of code is from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.elf.reader import open_elf


@dataclass(frozen=True, order=True)
class LineRow:
    """Addresses from `start` to before `end` that are from one source line.

    Attributes:
        file: the source file's name without its folder; "" where the table does not tell.
        line: counted from 1.
    """

    start: int
    end: int
    file: str
    line: int


def read_lines(elf: Path) -> tuple[LineRow, ...]:
    """Rows by address; none where the image has no line table, and those before the damage where it is damaged.

    Raises:
        ImageFileError: the file cannot be read.
    """
    from elftools.common.exceptions import DWARFError

    rows: list[LineRow] = []
    with open_elf(elf) as image:
        if not image.has_dwarf_info():
            return ()
        try:
            dwarf = image.get_dwarf_info()
            for unit in dwarf.iter_CUs():
                program = dwarf.line_program_for_CU(unit)
                if program is not None:
                    rows += _rows(program)
        except (DWARFError, KeyError, IndexError):
            pass  # what was read is right, and an address without a line is told without it
    return tuple(sorted(rows))


def _rows(program: Any) -> list[LineRow]:
    header = program.header
    # DWARF 5 counts files from 0, earlier versions from 1
    first = 0 if header["version"] >= 5 else 1
    names = [entry.name.decode("utf-8", "replace") for entry in header["file_entry"]]
    rows = []
    last: Any = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if last is not None and state.address > last.address:
            index = last.file - first
            name = names[index] if 0 <= index < len(names) else ""
            rows.append(LineRow(last.address, state.address, name, last.line))
        last = None if state.end_sequence else state
    return rows
