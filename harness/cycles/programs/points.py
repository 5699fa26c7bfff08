"""Where a program's regions begin and end: by symbols, by address, and by markers in its code."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.elf.sections import read_debug_section
from harness.elf.symbols import THUMB, Symbol, read_symbols
from harness.errors import ProfileError

MARKERS = ".debug_tinyhil_regions"
"""The section that firmware/profile/tinyhil_regions.h writes: an address of four bytes, "b" or "e", a name, NUL."""

WHOLE = 0
"""The number of the region that is profiled."""

MOST_REGIONS = 2_000


@dataclass(frozen=True)
class Point:
    """What happens before the instruction at an address: a function's region is called, a stretch begins or ends, or a
    loop's next round begins, whose regions are numbered from `region` on.
    """

    address: int
    kind: Literal["call", "begin", "end", "step"]
    region: int


@dataclass(frozen=True)
class Points:
    """The regions of a program.

    Attributes:
        names: of the regions, by number; the first is all that is profiled.
        points: by address, and where several have one in the order in which they happen.
    """

    names: tuple[str, ...]
    points: tuple[Point, ...]

    def lines(self) -> str:
        """The points as harness/cycles/native/tracer.h reads them."""
        return "".join(f"{point.kind} {point.address:x} {point.region:x}\n" for point in self.points)


def find_points(elf: Path, start: str, stop: str | None, functions: Sequence[str] = ()) -> Points:
    """The regions to profile.

    Args:
        elf: the image.
        start: symbol or address (0x...) where profiling begins.
        stop: where it ends, before the instruction there; None: where the function `start` returns.
        functions: patterns of functions that are regions, such as "conv*".

    Raises:
        ImageFileError: the image cannot be read.
        ProfileError: a symbol is not there or means several places, no function fits a pattern, or markers are damaged.
    """
    symbols = [symbol for symbol in read_symbols(elf) if symbol.section is not None]
    first = _address(symbols, start, elf)
    whole = [Point(first, "call" if stop is None else "begin", WHOLE)]
    if stop is not None:
        whole.append(Point(_address(symbols, stop, elf), "end", WHOLE))
    names = [start if stop is None else f"{start} to {stop}"]
    found = [*whole, *_functions(symbols, functions, names, whole[0], elf), *_markers(elf, names)]
    if len(names) > MOST_REGIONS:
        raise ProfileError(
            f"{len(names):,} regions, more than {MOST_REGIONS:,}", hint="give --functions a narrower pattern"
        )
    # At one address a function begins before what its code marks, which stays in the order of the code
    found.sort(key=lambda point: (point.address, point.region != WHOLE, point.kind != "call"))
    return Points(tuple(names), tuple(found))


def _address(symbols: Sequence[Symbol], name: str, elf: Path) -> int:
    if name.lower().startswith("0x"):
        try:
            return int(name, 16) & ~THUMB
        except ValueError:
            raise ProfileError(f"{name} is no address", hint="say it as 0x08001234, or name a symbol") from None
    addresses = sorted({symbol.address for symbol in symbols if symbol.name == name})
    if not addresses:
        near = difflib.get_close_matches(name, sorted({symbol.name for symbol in symbols}), 3, 0.5)
        hint = f"there are {', '.join(near)}" if near else "arm-none-eabi-nm lists its symbols; is it stripped?"
        raise ProfileError(f"{elf.name} has no symbol {name}", hint=hint)
    if len(addresses) > 1:
        text = ", ".join(f"0x{address:08x}" for address in addresses)
        raise ProfileError(f"{elf.name} has {len(addresses)} symbols {name}", hint=f"give one's address: {text}")
    return addresses[0]


def _functions(
    symbols: Sequence[Symbol], patterns: Sequence[str], names: list[str], whole: Point, elf: Path
) -> Iterator[Point]:
    """The functions of the patterns, each once; that which is all that is profiled is no region within itself."""
    functions: dict[int, str] = {}
    for symbol in symbols:
        if symbol.kind == "function":
            functions.setdefault(symbol.address, symbol.name)
    numbers: dict[str, int] = {}
    told = {whole.address} if whole.kind == "call" else set()
    for pattern in patterns:
        found = [address for address, name in functions.items() if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            raise ProfileError(
                f"{elf.name} has no function {pattern}",
                hint="patterns are those of a shell: conv*; a function that was inlined everywhere is gone",
            )
        for address in found:
            if address in told:
                continue
            told.add(address)
            name = functions[address]
            if name not in numbers:
                numbers[name] = len(names)
                names.append(name)
            yield Point(address, "call", numbers[name])


def _markers(elf: Path, names: list[str]) -> list[Point]:
    """The markers in the order of the code; those of code that the linker left out are left out."""
    data = read_debug_section(elf, MARKERS)
    numbers: dict[str, int] = {}
    found: list[Point] = []
    at = 0
    while at < len(data):
        end = data.find(b"\0", at + 4)
        kind = data[at + 4 : at + 5]
        if end < 0 or kind not in (b"b", b"e"):
            raise ProfileError(
                f"{elf.name}: its markers are damaged at byte {at:,} of section {MARKERS}",
                hint="build with the header that `tinyhil profile --markers FILE` writes",
            )
        address = int.from_bytes(data[at : at + 4], "little") & ~THUMB
        name = data[at + 5 : end].decode("utf-8", "replace")
        at = end + 1
        if not address:
            continue
        if name not in numbers:
            numbers[name] = len(names)
            names.append(name)
        found.append(Point(address, "begin" if kind == b"b" else "end", numbers[name]))
    return found
