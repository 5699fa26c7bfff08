"""The layout of an image for the profiler: code by address, the part of each address, and where layers begin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cycles.memory import Part, Span
from harness.elf.sections import Section, read_sections
from harness.elf.segments import Segment, read_segments
from harness.elf.symbols import THUMB, Symbol, read_symbols
from harness.errors import ImageFileError, ProfileError
from harness.kernels.discovery import kernel_files

_VECTORS = ".vectors"
_FIRST_HANDLER = 2  # after the stack's end and reset
# Output sections that belong to one part; in those of code and constants in flash, symbols decide.
_SECTION_PARTS: dict[str, Part] = {
    ".arena": "arena", ".scratch": "scratch", ".stack": "stack",
    ".hot": "code", ".weights": "weights", ".data": "data", ".bss": "data",
    ".handler_stack": "data", ".text": "text", ".rodata": "rodata", ".vectors": "rodata", ".ARM.exidx": "rodata",
}  # fmt: skip


@dataclass(frozen=True)
class Code:
    """The memory of an image when it starts: code and constants."""

    segments: Sequence[Segment]

    def read(self, address: int, size: int) -> bytes:
        """Bytes of memory.

        Raises:
            ProfileError: the image has nothing there.
        """
        for segment in self.segments:
            at = address - segment.address
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
    """The layout of an image.

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
    """Reads the layout of an image.

    Args:
        elf: the image.
        model: name of the model whose layers to find.

    Raises:
        ProfileError: it cannot be read, or has no layers of that model.
    """
    try:
        segments = [segment for segment in read_segments(elf) if segment.data]
        sections = read_sections(elf)
        symbols = [symbol for symbol in read_symbols(elf) if symbol.kind != "other" and symbol.section is not None]
    except ImageFileError as error:
        raise ProfileError(error.message, hint=error.hint) from error
    layers = _layers(symbols, model)
    if not layers or sorted(layers) != list(range(len(layers))):
        raise ProfileError(
            f"the image has no layers of a model {model}", hint="a model is profiled by its name in the image"
        )
    spans = tuple(sorted(_spans(sections, symbols, model), key=lambda span: span.origin))
    return Layout(Code(segments), spans, tuple(layers[number] for number in sorted(layers)), _handlers(sections))


def _layers(symbols: Sequence[Symbol], model: str) -> dict[int, int]:
    """Number of a layer -> address of its function."""
    pattern = re.compile(re.escape(model) + r"_layer_(\d+)_")
    found = {}
    for symbol in symbols:
        match = pattern.match(symbol.name)
        if match and symbol.kind == "function":
            found[int(match[1])] = symbol.address
    return found


def _handlers(sections: Sequence[Section]) -> tuple[int, ...]:
    """Addresses in the vector table except the reset handler's, each once."""
    table = next((section.data for section in sections if section.name == _VECTORS), b"")
    words = [int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 4)]
    return tuple(sorted({word & ~THUMB for word in words[_FIRST_HANDLER:] if word}))


def _spans(sections: Sequence[Section], symbols: Sequence[Symbol], model: str) -> Iterator[Span]:
    """Spans of all sections by name; in those of code and constants, by the model's symbols."""
    own = _of_model(symbols, model)
    for section in sections:
        part = _SECTION_PARTS.get(section.name)
        if part is None:
            continue
        at, end = section.address, section.address + section.size
        moved = sorted(own.get(section.number, []), key=lambda span: span.origin) if part in ("text", "rodata") else []
        for span in moved:
            if span.origin < at:
                continue  # two symbols with one address
            if span.origin > at:
                yield Span(at, span.origin - at, part)
            yield span
            at = span.origin + span.size
        if at < end:
            yield Span(at, end - at, part)


def _of_model(symbols: Sequence[Symbol], model: str) -> dict[int, list[Span]]:
    """Number of a section -> spans of a model's code and constants in it, with its kernels' code."""
    kernels = sorted({path.stem for path in kernel_files()})
    of_kernel = re.compile("|".join([rf"{re.escape(model)}_layer_\d", *map(re.escape, kernels)]))
    sources = {f"{model}.c", *(f"{kernel}.c" for kernel in kernels)}
    own: dict[int, list[Span]] = {}
    for symbol in symbols:
        assert symbol.section is not None
        if symbol.kind == "function" and symbol.size and (of_kernel.match(symbol.name) or symbol.file in sources):
            own.setdefault(symbol.section, []).append(Span(symbol.address, symbol.size, "code"))
        elif symbol.kind == "object" and symbol.size and symbol.name.startswith(f"{model}_"):
            own.setdefault(symbol.section, []).append(Span(symbol.address, symbol.size, "weights"))
    return own
