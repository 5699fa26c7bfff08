"""What the profiler knows of an image: its code by address, the part of each address, and where layers begin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cycles.memory import Part, Span
from harness.errors import ProfileError
from harness.kernels.discovery import kernel_files

_THUMB = 1
_VECTORS = ".vectors"
_FIRST_HANDLER = 2  # after the stack's end and reset
# Output sections that belong to one part; code and constants that stay in flash are told apart by symbols.
_SECTION_PARTS: dict[str, Part] = {
    ".arena": "arena", ".stack": "stack", ".hot": "code", ".weights": "weights", ".data": "data", ".bss": "data",
    ".handler_stack": "data", ".text": "text", ".rodata": "rodata", ".vectors": "rodata", ".ARM.exidx": "rodata",
}  # fmt: skip


@dataclass(frozen=True)
class CodeSegment:
    """Bytes of the image as they are in memory from `origin` on while it runs."""

    origin: int
    data: bytes


@dataclass(frozen=True)
class Code:
    """What an image has in memory as it begins to run: code and constants."""

    segments: Sequence[CodeSegment]

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory.

        Raises:
            ProfileError: the image has nothing there.
        """
        for segment in self.segments:
            at = address - segment.origin
            if at >= 0 and at + size <= len(segment.data):
                return segment.data[at : at + size]
        raise ProfileError(
            f"the image has no {size} bytes at 0x{address:08x}", hint="was the profile made with this image?"
        )

    def instruction(self, address: int) -> bytes:
        """The Thumb instruction at an address: two bytes, or four where the first halfword is from 0xE800 up.

        Raises:
            ProfileError: the image has nothing there.
        """
        first = self.read(address, 2)
        return self.read(address, 4) if first[1] >= 0xE8 else first


@dataclass(frozen=True)
class Layout:
    """An image, read.

    Attributes:
        code: its bytes by address.
        spans: the part of each address, sorted by address.
        layers: addresses of the model's layer functions, by number.
        handlers: addresses of exception handlers.
    """

    code: Code
    spans: tuple[Span, ...]
    layers: tuple[int, ...]
    handlers: tuple[int, ...]


def read_layout(elf: Path, model: str) -> Layout:
    """What an image tells of itself.

    Args:
        elf: the image.
        model: name of the model whose layers are wanted.

    Raises:
        ProfileError: it cannot be read, or has no layers of that model.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        with elf.open("rb") as file:
            image = ELFFile(file)
            segments = [
                CodeSegment(int(section["sh_addr"]), section.data())
                for section in image.iter_sections()
                if section["sh_flags"] & 2 and section["sh_type"] == "SHT_PROGBITS" and section["sh_size"]
            ]
            spans = tuple(sorted(_spans(image, model), key=lambda span: span.origin))
            layers = _layers(image, model)
            vectors = image.get_section_by_name(_VECTORS)
            table = b"" if vectors is None else vectors.data()
    except (OSError, ELFError) as error:
        raise ProfileError(f"{elf} cannot be read: {error}", hint="build the image again") from error
    if not layers or sorted(layers) != list(range(len(layers))):
        raise ProfileError(
            f"the image has no layers of a model {model}", hint="a model is profiled by its name in the image"
        )
    words = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 4)]
    handlers = tuple(sorted({word & ~_THUMB for word in words[_FIRST_HANDLER:] if word}))
    return Layout(Code(segments), spans, tuple(layers[number] for number in sorted(layers)), handlers)


def _symbols(image: Any) -> Iterator[tuple[str, str, int, int, int, str]]:
    """(name, type, value, size, section's number, source file of a local one) of functions and objects."""
    table = image.get_section_by_name(".symtab")
    file = ""
    for symbol in table.iter_symbols() if table is not None else ():
        kind, local = symbol["st_info"]["type"], symbol["st_info"]["bind"] == "STB_LOCAL"
        if kind == "STT_FILE":
            file = symbol.name
        elif kind in ("STT_FUNC", "STT_OBJECT") and isinstance(symbol["st_shndx"], int):
            value = int(symbol["st_value"])
            yield symbol.name, kind, value, int(symbol["st_size"]), symbol["st_shndx"], file if local else ""


def _layers(image: Any, model: str) -> dict[int, int]:
    pattern = re.compile(re.escape(model) + r"_layer_(\d+)_")
    found = {}
    for name, kind, value, *_ in _symbols(image):
        match = pattern.match(name)
        if match and kind == "STT_FUNC":
            found[int(match[1])] = value & ~_THUMB
    return found


def _spans(image: Any, model: str) -> Iterator[Span]:
    """Sections by their names; in those of code and constants, what belongs to models by its symbols."""
    kernels = sorted({path.stem for path in kernel_files()})
    of_kernel = re.compile("|".join([rf"{re.escape(model)}_layer_\d", *map(re.escape, kernels)]))
    sources = {f"{model}.c", *(f"{kernel}.c" for kernel in kernels)}
    own: dict[int, list[Span]] = {}
    for name, kind, value, size, section, file in _symbols(image):
        if kind == "STT_FUNC" and size and (of_kernel.match(name) or file in sources):
            own.setdefault(section, []).append(Span(value & ~_THUMB, size, "code"))
        elif kind == "STT_OBJECT" and size and name.startswith(f"{model}_"):
            own.setdefault(section, []).append(Span(value, size, "weights"))
    for number, section in enumerate(image.iter_sections()):
        part = _SECTION_PARTS.get(section.name)
        if part is None or not section["sh_size"]:
            continue
        at, end = int(section["sh_addr"]), int(section["sh_addr"]) + int(section["sh_size"])
        moved = sorted(own.get(number, []), key=lambda span: span.origin) if part in ("text", "rodata") else []
        for span in moved:
            if span.origin < at:
                continue  # two symbols of one place
            if span.origin > at:
                yield Span(at, span.origin - at, part)
            yield span
            at = span.origin + span.size
        if at < end:
            yield Span(at, end - at, part)
