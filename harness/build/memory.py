"""Placement -> linker script of the memory, flags of the compiler, and errors about memory that is too small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from harness.elf.segments import read_segments
from harness.elf.sizes import HOT_SECTION
from harness.errors import BuildError, DoesNotFitError

if TYPE_CHECKING:  # boards import images
    from harness.hardware.board import Board, Placement

_WEIGHTS_SECTION = ".hil_weights"
# Part -> region alias of the linker script
_REGIONS = {
    "arena": "ARENA", "scratch": "SCRATCH", "stack": "STACK", "data": "RAM", "weights": "WEIGHTS", "code": "HOT",
}  # fmt: skip
# Part that can be copied to RAM -> macro of generated code, input section, output section
_COPIED = {"weights": ("TINYHIL_WEIGHTS", _WEIGHTS_SECTION, ".weights"), "code": ("TINYHIL_CODE", HOT_SECTION, ".hot")}


def memory_script(board: Board, placement: Placement) -> str:
    """Text of memory.ld: the board's regions, and aliases for the parts that they hold."""
    lines = ["MEMORY", "{"]
    for region in board.memory:
        access = "rx" if region.kind == "flash" else "rwx" if region.execute else "rw"
        lines.append(f"    {_name(region.name)} ({access}) : ORIGIN = 0x{region.origin:08x}, LENGTH = {region.size}")
    lines.append("}")
    fixed = _name(next(region.name for region in board.memory if region.kind == "flash"))
    lines += [f'REGION_ALIAS("{alias}", {fixed});' for alias in ("VECTORS", "CODE")]
    lines += [f'REGION_ALIAS("{_REGIONS[part]}", {_name(name)});' for part, name in placement.regions.items()]
    return "\n".join([*lines, ""])


def section_macros(board: Board, placement: Placement | None) -> tuple[str, ...]:
    """Flags that put weights and layers into sections of their own where they are placed in RAM."""
    in_ram = _in_ram(board, placement)
    flags = [f'-D{_COPIED[part][0]}=__attribute__((section("{_COPIED[part][1]}")))' for part in in_ram]
    # Assembly sources use the section's name, not an attribute.
    return (*flags, *([f"-DTINYHIL_CODE_SECTION={HOT_SECTION}"] if "code" in in_ram else []))


def copied_sections(board: Board, placement: Placement | None) -> frozenset[str]:
    """Output sections that are copied from flash to RAM at start, besides .data."""
    return frozenset(_COPIED[part][2] for part in _in_ram(board, placement))


def does_not_fit(board: Board, placement: Placement | None, error: BuildError) -> DoesNotFitError | None:
    """The error that names the board's memory if the linker failed for lack of memory; None for other failures."""
    over = re.findall(r"region [`']?(\w+)'? overflowed by (\d+) bytes", error.details)
    if not over:
        return None
    regions = {_name(region.name): region for region in board.memory}
    excess = []
    lacking = {}
    for script, size in over:
        region = regions.get(script) or board.region(script.lower())
        if region is not None:
            lacking[region.name] = int(size)
        name = script if region is None or placement is None else region.name
        held = [part for part, where in placement.parts.items() if where == name] if placement else []
        if placement and region is not None and region.kind == "flash":
            held = ["the image"]
        what = f" (of {region.size:,}, with {', '.join(held)})" if region is not None and held else ""
        excess.append(f"region {name} overflows by {int(size):,} bytes{what}")
    movable = "another placement, " if placement else ""
    return DoesNotFitError(
        f"the image does not fit {board.name}: {' and '.join(excess)}",
        hint=f"use {movable}a smaller model, fewer models in one image, or a board with more memory",
        details=error.details,
        excess=lacking,
    )


def region_usage(elf: Path, board: Board) -> dict[str, int]:
    """Memory region -> bytes that the image uses, with those of flash that are copied to RAM at start.

    Regions without bytes are left out. Empty for boards without memory in boards.yaml.
    """
    if not board.memory:
        return {}
    used = dict.fromkeys((region.name for region in board.memory), 0)
    for segment in read_segments(elf):
        spans = {(segment.address, segment.size)}
        if segment.load_address != segment.address:
            spans.add((segment.load_address, len(segment.data)))
        for start, size in spans:
            for region in board.memory:
                if size and region.contains(start, size):
                    used[region.name] += size
    return {name: size for name, size in used.items() if size}


def _in_ram(board: Board, placement: Placement | None) -> list[str]:
    if placement is None:
        return []
    regions = {part: board.region(placement.regions[part]) for part in _COPIED}
    return [part for part, region in regions.items() if region is not None and region.kind == "ram"]


def _name(region: str) -> str:
    """A region's name in linker scripts: never one of the aliases, whatever it is on the board."""
    return f"BOARD_{region.upper().replace('-', '_')}"
