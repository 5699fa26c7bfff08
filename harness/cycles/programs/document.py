"""A program's profile as a JSON-ready document; docs/profiling.md describes the fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from harness.cycles.document import estimate_document, hot_blocks, quantity
from harness.cycles.pipeline import Cause
from harness.cycles.programs.profile import ProgramProfile, ProgramRegion
from harness.elf.symbols import Symbols

Document: TypeAlias = dict[str, Any]


def program_document(profiled: ProgramProfile, *, hot: int = 5) -> Document:
    """Regions with what they executed and their modelled cycles, and the hottest code.

    Args:
        profiled: the program.
        hot: number of blocks to list with their instructions.
    """
    profile, estimate, whole = profiled.profile, profiled.estimate, profiled.whole
    bounds = {"low": estimate.low, "cycles": estimate.cycles, "high": estimate.high}
    return {
        "kind": "program",
        "name": profile.model,
        "elf": str(profile.elf),
        "profiled": whole.name,
        "board": profiled.board.name,
        "core": estimate.core,
        "setup": estimate.board,
        "clock_hz": estimate.clock_hz,
        **estimate_document(estimate),
        "emulator": profile.emulator,
        "toolchain": profile.toolchain,
        "instructions": quantity(profile.total),
        "milliseconds": None
        if estimate.clock_hz is None
        else {name: figure.value / estimate.clock_hz * 1e3 for name, figure in bounds.items()},
        "regions": list(_regions(whole, 0, max(estimate.cycles.value, 1))),
        "unknown": dict(estimate.unknown),
        "hot": hot_blocks(estimate.layers, estimate.cycles, Symbols(profile.elf), hot),
        "notes": list(profiled.notes),
    }


def frames(profiled: ProgramProfile) -> list[list[str]]:
    """By number of a region, the names of the regions that it lies in, the outermost first, and its own."""
    found: dict[int, list[str]] = {}
    for region in profiled.whole.walk():
        found[region.number] = [*([] if region.parent is None else found[region.parent]), region.name]
    return [found[number] for number in range(len(found))]


def _regions(region: ProgramRegion, depth: int, cycles: int) -> Iterator[Document]:
    yield {
        "number": region.number,
        "parent": region.parent,
        "depth": depth,
        "name": region.name,
        "entries": region.entries,
        "instructions": quantity(region.instructions),
        "cycles": quantity(region.cycles),
        "share": region.cycles.value / cycles,
        "own": {"instructions": quantity(region.own.instructions), "cycles": quantity(region.estimate.cycles)},
        "causes": {cause.value: quantity(region.cause(cause)) for cause in Cause},
    }
    for inner in region.inside:
        yield from _regions(inner, depth + 1, cycles)
