"""The sections of an image or object file that are in memory while the program runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.elf.reader import open_elf

Kind = Literal["text", "rodata", "data", "bss"]
"""Code, constants, variables with initial values, zeroed variables; after GNU's names of sections."""


@dataclass(frozen=True)
class Section:
    """A section with the flag SHF_ALLOC and a size.

    Attributes:
        number: in the table of section headers; symbols name their section by it.
        name: such as ".text".
        address: in an object file 0.
        size: in bytes.
        kind: by its flags, so that constants that lie within a section of code are code.
        data: its bytes in the file, none where `kind` is "bss".
    """

    number: int
    name: str
    address: int
    size: int
    kind: Kind
    data: bytes


def read_sections(elf: Path) -> tuple[Section, ...]:
    """Sections by number.

    Raises:
        ImageFileError: the file cannot be read.
    """
    from elftools.elf.constants import SH_FLAGS

    with open_elf(elf) as image:
        return tuple(
            Section(
                number=number,
                name=found.name,
                address=int(found["sh_addr"]),
                size=int(found["sh_size"]),
                kind=_kind(found),
                data=b"" if found["sh_type"] == "SHT_NOBITS" else bytes(found.data()),
            )
            for number, found in enumerate(image.iter_sections())
            if found["sh_flags"] & SH_FLAGS.SHF_ALLOC and found["sh_size"]
        )


def read_debug_section(elf: Path, name: str) -> bytes:
    """The bytes of a section that is not in memory; none where there is no such section.

    Raises:
        ImageFileError: the file cannot be read.
    """
    with open_elf(elf) as image:
        section = image.get_section_by_name(name)
        return b"" if section is None else bytes(section.data())


def _kind(section: Any) -> Kind:
    from elftools.elf.constants import SH_FLAGS

    if section["sh_type"] == "SHT_NOBITS":
        return "bss"
    if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR:
        return "text"
    return "data" if section["sh_flags"] & SH_FLAGS.SHF_WRITE else "rodata"
