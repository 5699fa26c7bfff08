"""The symbols of an image, and what lies at an address by them: function, offset and source line."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.elf.lines import LineRow, read_lines
from harness.elf.reader import open_elf
from harness.elf.sections import read_sections
from harness.errors import ImageFileError
from harness.kernels.symbols import short_name

THUMB = 1
"""Set in addresses of Thumb code that are branched to."""

_KINDS: dict[str, Literal["function", "object"]] = {"STT_FUNC": "function", "STT_OBJECT": "object"}


@dataclass(frozen=True)
class Symbol:
    """A defined symbol.

    Attributes:
        name: as the sources have it, without the version that symbols of shared kernels carry.
        kind: "function", "object" (a variable or constant), or "other", as what a linker script defines.
        address: of its first byte; a function's is without the Thumb bit.
        size: in bytes; 0 where it is not told.
        section: number of the section it lies in; None for absolute values.
        file: name of the source file of a local symbol; "" for a global one.
    """

    name: str
    kind: Literal["function", "object", "other"]
    address: int
    size: int
    section: int | None
    file: str


def read_symbols(elf: Path) -> tuple[Symbol, ...]:
    """Symbols in the order of the table; none where the file was stripped of them.

    Raises:
        ImageFileError: the file cannot be read.
    """
    found: list[Symbol] = []
    file = ""
    with open_elf(elf) as image:
        table = image.get_section_by_name(".symtab")
        for entry in table.iter_symbols() if table is not None else ():
            kind, section = entry["st_info"]["type"], entry["st_shndx"]
            if kind == "STT_FILE":
                file = entry.name
            elif kind != "STT_SECTION" and section != "SHN_UNDEF":
                found.append(
                    Symbol(
                        name=short_name(entry.name),
                        kind=_KINDS.get(kind, "other"),
                        address=int(entry["st_value"]) & ~(THUMB if kind == "STT_FUNC" else 0),
                        size=int(entry["st_size"]),
                        section=section if isinstance(section, int) else None,
                        file=file if entry["st_info"]["bind"] == "STB_LOCAL" else "",
                    )
                )
    return tuple(found)


def symbol_address(elf: Path, name: str) -> int | None:
    """The address of a symbol; None where there is none of that name, or the file cannot be read."""
    try:
        return next((symbol.address for symbol in read_symbols(elf) if symbol.name == name), None)
    except ImageFileError:
        return None


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
    """Function and line tables of an image by address, read when first asked for.

    An image that cannot be read has none: a fault is better told without names than not at all.
    """

    def __init__(self, elf: Path) -> None:
        self._elf = elf
        self._functions: list[Symbol] | None = None
        self._starts: list[int] = []
        self._lines: tuple[LineRow, ...] | None = None
        self._code: list[tuple[int, bytes]] = []

    def at(self, address: int) -> Place | None:
        """The place of an address in code; None when no function is there or the image cannot be read."""
        address &= ~THUMB
        if self._functions is None:
            self._functions = self._read_functions()
            self._starts = [function.address for function in self._functions]
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        function = self._functions[index]
        if address >= function.address + max(function.size, 2):
            return None
        file, line = self._line_at(address)
        return Place(function.name, address - function.address, file, line)

    def called_from(self, address: int) -> Place | None:
        """The place of the call that returns to `address`; None where no call instruction is right before it."""
        place = self.at(address)
        if place is None or not address & THUMB or not self._follows_call(address & ~THUMB):
            return None
        return self.at((address & ~THUMB) - 2)

    def _follows_call(self, address: int) -> bool:
        """Whether the instruction before is Thumb's BL (T1) or BLX register (T1)."""
        for start, code in self._code:
            at = address - start
            if 4 <= at <= len(code):
                first = int.from_bytes(code[at - 4 : at - 2], "little")
                second = int.from_bytes(code[at - 2 : at], "little")
                return (first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000) or second & 0xFF87 == 0x4780
        return False

    def _read_functions(self) -> list[Symbol]:
        """Functions by address, one for each."""
        try:
            self._code = [(code.address, code.data) for code in read_sections(self._elf) if code.kind == "text"]
            functions = {symbol.address: symbol for symbol in read_symbols(self._elf) if symbol.kind == "function"}
        except ImageFileError:
            return []
        return [functions[address] for address in sorted(functions)]

    def _line_at(self, address: int) -> tuple[str, int]:
        if self._lines is None:
            try:
                self._lines = read_lines(self._elf)
            except ImageFileError:
                self._lines = ()
        index = bisect.bisect_right(self._lines, address, key=lambda row: row.start) - 1
        if index >= 0 and address < self._lines[index].end:
            return self._lines[index].file, self._lines[index].line
        return "", 0
