"""Addresses -> functions and source lines, from an ELF image."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Set in addresses of Thumb code that are branched to
_THUMB = 1
# SHF_EXECINSTR
_EXECUTABLE = 4


@dataclass(frozen=True)
class Place:
    """Where an address lies.

    Attributes:
        function: its name.
        offset: bytes from the function's start.
        file, line: source position; "" and 0 where the image has no line table for it.
    """

    function: str
    offset: int
    file: str
    line: int

    def __str__(self) -> str:
        where = f" ({self.file}:{self.line})" if self.file else ""
        return f"{self.function}+0x{self.offset:x}{where}"


class Symbols:
    """Function and line tables of an image, read when first asked for."""

    def __init__(self, elf: Path) -> None:
        self._elf = elf
        self._functions: list[tuple[int, int, str]] | None = None
        self._starts: list[int] = []
        self._lines: list[tuple[int, int, str, int]] | None = None
        self._code: list[tuple[int, bytes]] = []

    def at(self, address: int) -> Place | None:
        """The place of an address in code; None when no function is there or the image cannot be read."""
        address &= ~_THUMB
        if self._functions is None:
            self._load_functions()
        assert self._functions is not None
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        start, size, name = self._functions[index]
        if address >= start + max(size, 2):
            return None
        file, line = self._line_at(address)
        return Place(name, address - start, file, line)

    def called_from(self, address: int) -> Place | None:
        """The place of the call that returns to `address`; None where no call instruction is right before it."""
        place = self.at(address)
        if place is None or not address & _THUMB or not self._follows_call(address & ~_THUMB):
            return None
        return self.at((address & ~_THUMB) - 2)

    def _follows_call(self, address: int) -> bool:
        """Whether the instruction before is Thumb's BL (T1) or BLX register (T1)."""
        for start, code in self._code:
            at = address - start
            if 4 <= at <= len(code):
                first = int.from_bytes(code[at - 4 : at - 2], "little")
                second = int.from_bytes(code[at - 2 : at], "little")
                return (first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000) or second & 0xFF87 == 0x4780
        return False

    def _load_functions(self) -> None:
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection

        found: dict[int, tuple[int, int, str]] = {}
        try:
            with self._elf.open("rb") as file:
                for section in ELFFile(file).iter_sections():
                    if section["sh_flags"] & _EXECUTABLE and section["sh_type"] == "SHT_PROGBITS":
                        self._code.append((int(section["sh_addr"]), section.data()))
                    if not isinstance(section, SymbolTableSection):
                        continue
                    for symbol in section.iter_symbols():
                        if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF":
                            start = int(symbol["st_value"]) & ~_THUMB
                            found[start] = (start, int(symbol["st_size"]), symbol.name)
        except (OSError, ELFError):
            pass  # a fault is better told without names than not at all
        self._functions = [found[start] for start in sorted(found)]
        self._starts = sorted(found)

    def _line_at(self, address: int) -> tuple[str, int]:
        if self._lines is None:
            self._lines = sorted(_read_lines(self._elf))
        index = bisect.bisect_right(self._lines, (address, 1 << 64, "", 0)) - 1
        if index >= 0:
            start, end, file, line = self._lines[index]
            if start <= address < end:
                return file, line
        return "", 0


def _read_lines(elf: Path) -> list[tuple[int, int, str, int]]:
    """(first address, address after, file, line) of every row of the line tables."""
    from elftools.common.exceptions import DWARFError, ELFError
    from elftools.elf.elffile import ELFFile

    rows: list[tuple[int, int, str, int]] = []
    try:
        with elf.open("rb") as file:
            image = ELFFile(file)
            if not image.has_dwarf_info():
                return []
            dwarf = image.get_dwarf_info()
            for unit in dwarf.iter_CUs():
                program = dwarf.line_program_for_CU(unit)
                if program is not None:
                    rows += _rows_of(program)
    except (OSError, ELFError, DWARFError, KeyError, IndexError):
        return rows
    return rows


def _rows_of(program: Any) -> list[tuple[int, int, str, int]]:
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
            rows.append((last.address, state.address, names[index] if 0 <= index < len(names) else "", last.line))
        last = None if state.end_sequence else state
    return rows
