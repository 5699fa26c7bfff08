"""What tests ask of a linked image."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile


@dataclass(frozen=True)
class Elf:
    """An image's symbols and what its flash holds.

    Attributes:
        entry: the entry's address.
        symbols: name -> address, and functions without their Thumb bit.
        segments: (address at run time, address in the file's flash, bytes, size in memory) of what is loaded.
    """

    entry: int
    symbols: dict[str, int]
    segments: tuple[tuple[int, int, bytes, int], ...]

    def read(self, address: int, size: int) -> bytes:
        """Bytes of flash, wherever they go at start."""
        for _, load, data, _ in self.segments:
            if load <= address and address + size <= load + len(data):
                return data[address - load : address - load + size]
        raise AssertionError(f"nothing is loaded at 0x{address:08x}")

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """32-bit words of flash."""
        return struct.unpack(f"<{count}I", self.read(address, 4 * count))


def read_elf(path: Path) -> Elf:
    """Read an image."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".symtab")
        symbols = {
            symbol.name: symbol["st_value"] & ~1 if symbol["st_info"]["type"] == "STT_FUNC" else symbol["st_value"]
            for symbol in table.iter_symbols()
        }
        segments = tuple(
            (segment["p_vaddr"], segment["p_paddr"], segment.data(), segment["p_memsz"])
            for segment in elf.iter_segments("PT_LOAD")
        )
        return Elf(elf["e_entry"], symbols, segments)
