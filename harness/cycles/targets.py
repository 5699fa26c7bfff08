"""Board -> Target: a board's core and memories for the compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.hardware.target import Cached, Target

_WORD = 4
"""Bytes of the line that stands for a memory without a cache: each word of it is waited for again."""

if TYPE_CHECKING:
    from harness.boards import Board, Resolved
    from harness.cycles.board_tables import Setup
    from harness.cycles.memory import Memory
    from harness.hardware.board import Placement


def target_of(board: Board, placement: Placement | None = None, *, clock_hz: int | None = None) -> Target:
    """The target of a board: its core, and its memories by its cycle table.

    A board without a table is assumed to have no wait states.

    Args:
        board: the board to generate code for.
        placement: the regions of the image's parts, as harness.hardware.placement.assign_regions gives them; None for
            the board's own.
        clock_hz: of the core, by which flash has more or fewer wait states; None for the table's.

    Raises:
        OptionError: the board does not run at this clock.
    """
    from harness.cycles.board_tables import board_table, boards, setup

    placed = board.placement if placement is None else placement
    if placed is None:
        return Target(board.core)
    regions = [board.region(name) for name in {placed.arena, placed.regions["scratch"]}]
    ram = sum(region.size for region in regions if region is not None) or None
    if board.name not in boards():
        return Target(board.core, ram=ram, scratch_apart=placed.scratch_apart)
    costed = setup(board_table(board.name), placed.regions, clock_hz=clock_hz)
    weights, arena = costed.system.memory_of("weights"), costed.system.memory_of("arena")
    return Target(
        board.core,
        code=cached_memory(costed, costed.system.memory_of("code"), fetched=True),
        weights=cached_memory(costed, weights),
        arena=cached_memory(costed, arena),
        scratch=cached_memory(costed, costed.system.memory_of("scratch")),
        scratch_apart=placed.scratch_apart,
        separate_data_bus=weights.name != arena.name,
        ram=ram,
    )


def cached_memory(costed: Setup, memory: Memory, *, fetched: bool = False) -> Cached | None:
    """A memory that the core waits for; None if it never does."""
    cache, row = memory.fetch if fetched else memory.data, costed.stalls[memory.name]
    load, store = (row.fetch, 0.0) if fetched else (row.load, row.store)
    if load == store == 0 or (fetched and cache is None):
        return None
    if cache is None:
        return Cached(1, 1, _WORD, load, store)
    # What a miss fills is what the kernel choice prices, so a line of sectors counts as that many ways.
    return Cached(cache.sets, cache.ways * (cache.line // cache.fill), cache.fill, load, store)


def target_of_run(resolved: Resolved, placement: Placement | None = None) -> Target:
    """The target of a run: of the board that was asked for, also if another with its core stands in.

    `placement` has regions of the board that runs. With a stand-in, the target has the asked board's own placement.
    """
    asked, runs_on = resolved.asked, resolved.runs_on
    if asked.core != runs_on.core:
        return target_of(runs_on, placement)
    return target_of(asked, placement if runs_on.name == asked.name else None)
