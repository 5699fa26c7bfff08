"""Board -> Target: what the compiler is told of a board's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.kernels.target import Target

if TYPE_CHECKING:
    from harness.boards import Board, Resolved


def target_of(board: Board, wanted: Mapping[str, str] | None = None) -> Target:
    """What code for `board` is generated for: its core, and the memories that its cycle table tells.

    A board without a table is taken to have no wait states. `wanted` moves parts of the image as for
    harness.boards.placement.place.

    Raises:
        PlacementError: the board has no choice, or no such part or region.
    """
    from harness.boards.placement import place
    from harness.cycles.board_tables import board_table, boards, setup

    placed = place(board, wanted or {})
    if placed is None or board.name not in boards():
        return Target(board.core)
    costed = setup(board_table(board.name), asdict(placed))
    weights, code = costed.system.memory_of("weights"), costed.system.memory_of("code")
    stall, kept = 0.0, 0
    if weights.data is not None:
        stall = costed.stalls[weights.name].load * 4 / weights.data.line
        kept = weights.data.sets * weights.data.ways * weights.data.line
    cache = code.fetch
    slow_code = cache is not None and costed.stalls[code.name].fetch > 0
    return Target(
        board.core,
        weight_stall=stall,
        weight_cache=kept,
        code_cache=cache.sets * cache.ways * cache.line if cache is not None and slow_code else None,
    )


def target_of_run(resolved: Resolved, wanted: Mapping[str, str] | None = None) -> Target:
    """What code for a run is generated for: the board that was asked for, also where another of its core stands in.

    Raises:
        PlacementError: as target_of.
    """
    asked, runs_on = resolved.asked, resolved.runs_on
    if asked.core != runs_on.core:
        return target_of(runs_on, wanted)
    return target_of(asked, wanted if runs_on.placement is not None else None)
