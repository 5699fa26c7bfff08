"""Whether a relocatable model would run in a firmware, by what its ELF file tells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.elf.attributes import BuildAttributes, read_attributes
from harness.elf.sections import read_sections
from harness.elf.symbols import Symbol, read_symbols
from harness.relocatable.format import RelocatableModel
from harness.relocatable.numbers import FEATURES, number

RECORD = "tinyhil_reloc_abi"
"""What the runtime of relocatable models holds: magic, format and ABI."""

_RECORD = struct.Struct("<IHH")
_ARCHITECTURES = {
    "cortex-m0plus": ("v6-M", ()),
    "cortex-m3": ("v7-M", ()),
    "cortex-m4": ("v7E-M", ("FPv4",)),
    "cortex-m7": ("v7E-M", ("FPv5",)),
    "cortex-m33": ("v8-M.main", ()),
    "cortex-m55": ("v8.1-M.main", ()),
}
"""Core -> what code for it is compiled for: the architecture, and FPUs that other cores of that one do not have."""


@dataclass(frozen=True)
class Answer:
    """What was asked of a firmware, and the answer.

    Attributes:
        holds: None where the file does not tell.
    """

    name: str
    holds: bool | None
    text: str


def findings(model: RelocatableModel, firmware: Path) -> tuple[Answer, ...]:
    """What the firmware has of what the model needs.

    Raises:
        ImageFileError: the file cannot be read.
    """
    attributes = read_attributes(firmware)
    symbols = read_symbols(firmware)
    return (
        _core(model, attributes),
        _features(model, attributes),
        *_runtime(firmware, symbols),
        _arena(model, firmware, symbols),
    )


def _core(model: RelocatableModel, attributes: BuildAttributes) -> Answer:
    architecture, fpus = _ARCHITECTURES[model.core]
    told = " with ".join(part for part in (attributes.architecture, attributes.fpu) if part)
    if not attributes.architecture:
        return Answer("core", None, f"it does not tell for which core it is; the model runs on {model.core} only")
    if attributes.architecture != architecture or (fpus and attributes.fpu and attributes.fpu not in fpus):
        return Answer("core", False, f"it is compiled for {told}; the model runs on {model.core} only")
    if fpus and not attributes.fpu:
        return Answer("core", None, f"it is compiled for {told}, as for several; the model needs {model.core}")
    return Answer("core", True, f"it is compiled for {told}, as {model.core} is")


def _features(model: RelocatableModel, attributes: BuildAttributes) -> Answer:
    missing = [name for name in FEATURES if name in model.features - attributes.features]
    if missing:
        return Answer("features", False, f"it is compiled without {', '.join(missing)}")
    needed = ", ".join(name for name in FEATURES if name in model.features)
    return Answer("features", True, f"it has {needed}" if needed else "the model needs none")


def _runtime(firmware: Path, symbols: tuple[Symbol, ...]) -> Iterator[Answer]:
    record = _record(firmware, symbols)
    if record is None:
        hint = "compile firmware/relocatable into it"
        yield Answer("runtime", False, f"it has no runtime of relocatable models: {hint}")
        return
    _, form, abi = record
    for name, told, ours in (("format", form, number("FORMAT")), ("ABI", abi, number("ABI"))):
        yield Answer(name, told == ours, f"its runtime takes {name} {told}, the model has {ours}")


def _record(firmware: Path, symbols: tuple[Symbol, ...]) -> tuple[int, int, int] | None:
    """The runtime's record: by its symbol, else by its magic in what is constant."""
    magic = number("ABI_MAGIC")
    places = {symbol.address for symbol in symbols if symbol.name == RECORD}
    for section in read_sections(firmware):
        for at in range(-section.address % 4, len(section.data) - _RECORD.size + 1, 4):
            if places and section.address + at not in places:
                continue
            if section.data.startswith(struct.pack("<I", magic), at):
                return _RECORD.unpack_from(section.data, at)
    return None


def _arena(model: RelocatableModel, firmware: Path, symbols: tuple[Symbol, ...]) -> Answer:
    """Zeroed arrays that are large enough; which one is the arena only the firmware's author knows."""
    zeroed = {section.number for section in read_sections(firmware) if section.kind == "bss"}
    arrays = [symbol for symbol in symbols if symbol.section in zeroed and symbol.size]
    room = [
        symbol
        for symbol in arrays
        if symbol.size >= model.arena_bytes and symbol.address % max(model.arena_align, 1) == 0
    ]
    needs = f"{model.arena_bytes:,} B of arena at a multiple of {model.arena_align}"
    if room:
        least = min(room, key=lambda symbol: (symbol.size, symbol.name))
        return Answer("arena", None, f"the model needs {needs}: {least.name} has {least.size:,} B")
    largest = max(arrays, key=lambda symbol: symbol.size, default=None)
    told = f"; its largest array is {largest.name}, {largest.size:,} B" if largest is not None else ""
    return Answer("arena", None, f"the model needs {needs}, which no array of it has{told}")
