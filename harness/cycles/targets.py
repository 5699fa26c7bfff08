"""Board -> Target: what the compiler is told of a board's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.hardware.target import Cached, Target

if TYPE_CHECKING:
    from harness.boards import Board, Resolved
    from harness.cycles.board_tables import Setup
    from harness.cycles.memory import Memory


def target_of(board: Board, wanted: Mapping[str, str] | None = None) -> Target:
    """What code for `board` is generated for: its core, and the memories that its cycle table tells.

    A board without a table is taken to have no wait states. `wanted` moves parts of the image as for
    harness.hardware.placement.place.

    Raises:
        PlacementError: the board has no choice, or no such part or region.
    """
    from harness.cycles.board_tables import board_table, boards, setup
    from harness.hardware.placement import assign_regions

    placed = assign_regions(board, wanted or {})
    if placed is None or board.name not in boards():
        return Target(board.core)
    costed = setup(board_table(board.name), asdict(placed))
    weights, arena = costed.system.memory_of("weights"), costed.system.memory_of("arena")
    return Target(
        board.core,
        code=_cached(costed, costed.system.memory_of("code"), fetched=True),
        weights=_cached(costed, weights),
        arena=_cached(costed, arena),
        separate_data_bus=weights.name != arena.name,
    )


def _cached(costed: Setup, memory: Memory, *, fetched: bool = False) -> Cached | None:
    """What the core waits for, or None where it never does."""
    cache, row = memory.fetch if fetched else memory.data, costed.stalls[memory.name]
    load, store = (row.fetch, 0.0) if fetched else (row.load, row.store)
    if cache is None or load == store == 0:
        return None
    return Cached(cache.sets, cache.ways, cache.line, load, store)


def target_of_run(resolved: Resolved, wanted: Mapping[str, str] | None = None) -> Target:
    """What code for a run is generated for: the board that was asked for, also where another of its core stands in.

    Raises:
        PlacementError: as target_of.
    """
    asked, runs_on = resolved.asked, resolved.runs_on
    if asked.core != runs_on.core:
        return target_of(runs_on, wanted)
    return target_of(asked, wanted if runs_on.placement is not None else None)
