"""Whether packages fit a board's memory, by region and in bytes, before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from harness.compiler.cost.flash import FlashEstimate
from harness.hardware.board import Placement, Region

if TYPE_CHECKING:
    from harness.build.sources import PackageSources


HARNESS = 10_500
"""Bytes that startup, runtime and link take beside the models, of flash and as many of RAM, on the boards here."""


class HasMemory(Protocol):
    """A board, or a microcontroller without one, as far as memory goes."""

    @property
    def memory(self) -> tuple[Region, ...]:
        """Its regions; names are unique."""

    @property
    def placement(self) -> Placement | None:
        """The region for each part of an image; None for the largest flash and the largest RAM."""

    @property
    def stack_size(self) -> int:
        """Bytes reserved for the stack."""


@dataclass(frozen=True)
class Part:
    """Bytes of one part of an image; `estimated` where only building shows how many."""

    name: str
    bytes: int
    estimated: bool = False


@dataclass(frozen=True)
class RegionUse:
    """A memory region with what packages put there."""

    region: Region
    parts: tuple[Part, ...]

    @property
    def used(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def excess(self) -> int:
        """Bytes over the region's size; 0 where the parts fit."""
        return max(self.used - self.region.size, 0)

    @property
    def certain(self) -> RegionUse:
        """The same without what is only estimated."""
        return replace(self, parts=tuple(part for part in self.parts if not part.estimated))

    def holds(self, part: str) -> bool:
        """Whether a part of this name is here."""
        return any(own.name == part for own in self.parts)


def fit(
    packages: Sequence[PackageSources], board: HasMemory, placement: Placement | None, *, harness: bool = False
) -> tuple[RegionUse, ...]:
    """The use of each memory region that holds a part of the packages; none for a board without memory, as the host.

    Arena, stack, weights and tables are exact. Code is estimated by the average size of kernels.

    Args:
        packages: generated models; several share one arena, as large as the largest needs.
        board: what they are for.
        placement: the region of each part; None for the board's own.
        harness: count the test harness, too.
    """
    if not board.memory:
        return ()
    where = (placement or board.placement or only_placement(board)).regions
    flash = _largest(board, "flash").name
    code = FlashEstimate(step for package in packages for step in package.plan.steps).code
    parts = {
        "arena": Part("arena", max((package.plan.arena_size for package in packages), default=0)),
        "scratch": Part("scratch", max((package.plan.scratch_size for package in packages), default=0)),
        "stack": Part("stack", board.stack_size),
        "weights": Part("weights", sum(package.constant_bytes for package in packages)),
        "code": Part("code", code, estimated=True),
    }
    uses: dict[str, list[Part]] = {}
    for name, part in parts.items():
        if name == "scratch" and not part.bytes:
            continue
        uses.setdefault(where[name], []).append(part)
        if name in ("weights", "code") and _is_ram(board, where[name]):  # copied at start, from flash
            uses.setdefault(flash, []).append(part)
    if harness:
        for name in (where["data"], flash):
            uses.setdefault(name, []).append(Part("test harness", HARNESS, estimated=True))
    return tuple(RegionUse(region, tuple(uses[region.name])) for region in board.memory if region.name in uses)


def misfit(packages: Sequence[PackageSources], board: HasMemory, placement: Placement | None) -> str:
    """The regions that are too small in words, estimated code counted; "" where the packages fit."""
    return " and ".join(overflow(use) for use in fit(packages, board, placement) if use.excess)


def overflow(use: RegionUse) -> str:
    """A region that is too small, in words."""
    parts = ", ".join(f"{part.name} {'about ' if part.estimated else ''}{part.bytes:,}" for part in use.parts)
    least = "about" if any(part.estimated for part in use.parts) else "at least"
    return f"{use.region.name} overflows by {least} {use.excess:,} bytes ({parts} of {use.region.size:,})"


def only_placement(board: HasMemory) -> Placement:
    """Where a port with a memory map of its own puts the parts: the largest flash and the largest RAM."""
    flash, ram = _largest(board, "flash").name, _largest(board, "ram").name
    return Placement(arena=ram, stack=ram, data=ram, weights=flash, code=flash)


def _largest(board: HasMemory, kind: Literal["flash", "ram"]) -> Region:
    regions = [region for region in board.memory if region.kind == kind]
    return max(regions or board.memory, key=lambda region: region.size)


def _is_ram(board: HasMemory, name: str) -> bool:
    return any(region.name == name and region.kind == "ram" for region in board.memory)
