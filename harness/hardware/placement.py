"""Placement: which memory region holds which part of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.errors import PlacementError
from harness.hardware.board import Board, Placement, Region

PARTS = ("arena", "stack", "data", "weights", "code", "scratch")

AUTO = "auto"
"""Instead of a region: the one in which the model is expected to be fastest (harness/cycles/auto_placement.py)."""

SOLVED = ("arena", "scratch", "weights", "code")
"""Parts whose region can be found; that of others the cycle model does not tell before a run."""


def assign_regions(board: Board, wanted: Mapping[str, str]) -> Placement | None:
    """The board's own placement, with `wanted` parts in other regions; None for a board without placement.

    Args:
        board: the board that runs.
        wanted: part -> name of a region.

    Raises:
        PlacementError: something is wanted of a board without placement; or there is no such part or region, or the
            region cannot hold the part.
    """
    if not wanted:
        return board.placement
    if board.placement is None:
        raise PlacementError(
            f"{board.name} has one place for each part of an image",
            hint="leave the placement out; boards with a choice have `placement` in boards.yaml",
        )
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        raise PlacementError(f"{unknown[0]}: an image has no such part", hint=f"parts: {', '.join(PARTS)}")
    placement = replace(board.placement, **wanted)
    check_placement(board, placement)
    return placement


def check_placement(board: Board, placement: Placement) -> None:
    """Checks that each part is in a region of the right kind; whether it fits there only linking shows.

    Raises:
        PlacementError: a region does not exist, or cannot hold the part.
    """
    for part, name in placement.regions.items():
        region = board.region(name)
        able = regions_for(board, part)
        if region is None or not _can_hold(region, part):
            why = f"{board.name} has no memory region {name}" if region is None else f"region {name} cannot hold it"
            raise PlacementError(f"{part}: {why}", hint=f"{part} can be in: {', '.join(able)}")


def regions_for(board: Board, part: str) -> list[str]:
    """Names of the regions of a board that can hold a part."""
    return [region.name for region in board.memory if _can_hold(region, part)]


def parse_placement(options: list[str]) -> dict[str, str]:
    """`part=region` options, or `auto` -> part -> region.

    Raises:
        PlacementError: an option has another form, or a part is given twice.
    """
    wanted: dict[str, str] = dict.fromkeys(SOLVED, AUTO) if options == [AUTO] else {}
    for option in options if not wanted else ():
        part, equals, region = option.partition("=")
        if not (part and equals and region):
            raise PlacementError(f"{option!r} is not PART=REGION", hint="such as arena=dtcm, or auto alone")
        if part in wanted:
            raise PlacementError(f"{part}: given twice", hint="give each part one region")
        wanted[part] = region
    return wanted


def _can_hold(region: Region, part: str) -> bool:
    if part == "code":
        return region.execute
    if part == "weights":
        return True
    # A pointer to address 0 is NULL, and below a stack at address 0 there is no room for its guard.
    return region.kind == "ram" and region.origin != 0
