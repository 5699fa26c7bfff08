"""What of a relocatable model is the compiler's own library, which a firmware around the static form holds as well."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path, PurePath

from harness.elf.symbols import Symbol, read_symbols


def library_bytes(elf: bytes, name: str, own: Collection[str]) -> int:
    """Bytes of members of the C library and of the compiler's (memcpy, soft float) in a linked model.

    Args:
        elf: the code with symbols.
        name: of the model, which the symbols of its own begin with.
        own: names of its source files.
    """
    stems = {PurePath(file).stem for file in own}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.elf"
        path.write_bytes(elf)
        symbols = read_symbols(path)
    spans = sorted((s.address, s.address + s.size) for s in symbols if _is_library(s, name, stems))
    total = end = 0
    for first, last in spans:
        total += max(last - max(first, end), 0)
        end = max(end, last)
    return total


def _is_library(symbol: Symbol, name: str, stems: Collection[str]) -> bool:
    if symbol.kind == "other" or symbol.name.startswith(f"{name}_"):
        return False
    if symbol.file:
        return PurePath(symbol.file).stem not in {*stems, name}
    return not symbol.name.startswith(tuple(stems))  # a file may have several functions
