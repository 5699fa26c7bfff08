"""Whether code runs at any address: what in an object or image holds an address, or is a variable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.elf.reader import open_elf, relocation_number

_RELATIVE = (
    "R_ARM_NONE", "R_ARM_REL32", "R_ARM_PREL31", "R_ARM_V4BX",
    "R_ARM_THM_CALL", "R_ARM_THM_JUMP24", "R_ARM_THM_JUMP19", "R_ARM_THM_JUMP11", "R_ARM_THM_JUMP8", "R_ARM_THM_JUMP6",
    "R_ARM_THM_PC8", "R_ARM_THM_PC12", "R_ARM_THM_ALU_PREL_11_0",
)  # fmt: skip
"""Relocations by distances within the code."""

_ALLOCATED, _WRITABLE = 2, 1  # SHF_ALLOC, SHF_WRITE


@dataclass(frozen=True)
class Bound:
    """Something that binds code to an address, or a variable.

    Attributes:
        symbol: whose address is held, or the variable.
        section: where; of an image the function or constant, if symbols tell it.
        what: the relocation's name, or the section's kind.
    """

    symbol: str
    section: str
    what: str


def addresses_held(path: Path) -> tuple[Bound, ...]:
    """Relocations of code and constants that are not distances; of an image that was linked with --emit-relocs, too.

    Raises:
        ImageFileError: the file cannot be read.
    """
    with open_elf(path) as elf:
        return tuple(_held(elf))


def _held(elf: Any) -> Iterator[Bound]:
    allowed = {relocation_number(name) for name in _RELATIVE}
    whole = elf["e_type"] != "ET_REL"
    for table in elf.iter_sections("SHT_REL"):
        target = elf.get_section(table["sh_info"])
        if not target["sh_flags"] & _ALLOCATED:
            continue
        symbols = elf.get_section(table["sh_link"])
        for relocation in table.iter_relocations():
            symbol = symbols.get_symbol(relocation["r_info_sym"])
            kind = relocation["r_info_type"]
            elsewhere = whole and kind != 0 and symbol["st_shndx"] in ("SHN_ABS", "SHN_UNDEF")
            if kind not in allowed or elsewhere:
                where = _holder(elf, int(relocation["r_offset"])) if whole else ""
                yield Bound(_name(elf, symbol), where or target.name, _kind_name(kind))


def variables(path: Path) -> tuple[Bound, ...]:
    """What an object has in sections that are written.

    Raises:
        ImageFileError: the file cannot be read.
    """
    with open_elf(path) as elf:
        table = elf.get_section_by_name(".symtab")
        found = []
        for index, section in enumerate(elf.iter_sections()):
            if section["sh_flags"] & (_ALLOCATED | _WRITABLE) == _ALLOCATED | _WRITABLE and section["sh_size"]:
                held = [s.name for s in table.iter_symbols() if s["st_shndx"] == index and s["st_size"]]
                found += [Bound(name, section.name, "variable") for name in held or [section.name]]
        common = [s.name for s in table.iter_symbols() if s["st_shndx"] == "SHN_COMMON"]
        return tuple([*found, *(Bound(name, "COMMON", "variable") for name in common)])


def _holder(elf: Any, address: int) -> str:
    """The function or constant of an image at an address; of what has no size, the nearest before it."""
    table = elf.get_section_by_name(".symtab")
    before = [
        (int(symbol["st_value"]) & ~1, str(symbol.name))
        for symbol in table.iter_symbols()
        if symbol.name and not symbol.name.startswith("$") and int(symbol["st_value"]) & ~1 <= address
        and symbol["st_info"]["type"] != "STT_SECTION"
    ]  # fmt: skip
    return max(before, default=(0, ""))[1]


def _name(elf: Any, symbol: Any) -> str:
    section = symbol["st_shndx"]
    if symbol["st_info"]["type"] == "STT_SECTION" and isinstance(section, int):
        return str(elf.get_section(section).name)
    return str(symbol.name)


def _kind_name(kind: int) -> str:
    from elftools.elf.enums import ENUM_RELOC_TYPE_ARM

    return next((str(name) for name, number in ENUM_RELOC_TYPE_ARM.items() if number == kind), f"type {kind}")
