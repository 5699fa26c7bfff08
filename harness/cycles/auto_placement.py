"""The regions in which a model is expected to be fastest on a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from harness.compiler.choice import candidates
from harness.compiler.cost.model import cost_of
from harness.cycles.targets import target_of
from harness.errors import PlacementError
from harness.hardware.placement import AUTO, SOLVED, assign_regions, regions_for

if TYPE_CHECKING:
    from harness.build.sources import PackageSources
    from harness.compiler.goals import Goals
    from harness.compiler.plan import KernelUse, Plan
    from harness.hardware.board import Board, Placement
    from harness.hardware.target import Target
    from harness.ir.graph import Graph
    from harness.kernels.context import Context

COMPILED = 4
"""Placements, the fastest by estimate, that the model is compiled for."""


Compiled = Callable[["Target"], "PackageSources"]
"""The model, compiled for a target."""


def solve_placement(
    board: Board, wanted: Mapping[str, str], graph: Graph, goals: Goals, compiled: Compiled | None = None
) -> Placement | None:
    """The placement that is wanted, with the fastest regions that have room where it says AUTO.

    All are estimated with the kernels that the board's own placement has; for the fastest of them kernels are chosen
    anew. Of equally fast ones the one that changes least of the board's own.

    Args:
        board: the board that runs.
        wanted: part -> name of a region, or AUTO.
        graph: the model.
        goals: of the compilation.
        compiled: the model with these goals for a target, where somebody keeps what is compiled.

    Returns:
        As assign_regions; without AUTO, that.

    Raises:
        PlacementError: as assign_regions; or AUTO is wanted of a part that it cannot be told for, or nothing has room.
        CompileError, BudgetError: as compile_graph.
    """
    free = [part for part, region in wanted.items() if region == AUTO]
    fixed = {part: region for part, region in wanted.items() if region != AUTO}
    own = assign_regions(board, fixed)
    if not free or own is None:
        return own
    unknown = sorted(set(free) - set(SOLVED))
    if unknown:
        raise PlacementError(
            f"{unknown[0]}: the fastest region is not known before a run",
            hint=f"auto is for {', '.join(SOLVED)}; name a region, or leave it out",
        )
    return _fastest(board, own, free, compiled or _compiler(graph, goals))


def _compiler(graph: Graph, goals: Goals) -> Compiled:
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import emit

    return cache(lambda target: emit(compile_graph(graph, core=target, goals=goals)))


def _fastest(board: Board, own: Placement, free: list[str], compiled: Compiled) -> Placement:
    from harness.build.fit import fit, overflow

    targets = {placement: target_of(board, placement) for placement in _placements(board, own, free)}

    def rank(plan: Plan, placement: Placement) -> tuple[int, int]:
        return round(expected_cycles(plan, targets[placement])), changes(own, placement)

    first, why = compiled(target_of(board, own)).plan, ""
    found: list[Placement] = []
    for placement in sorted(targets, key=lambda placement: rank(first, placement)):
        over = [use for use in fit([compiled(targets[placement])], board, placement, harness=True) if use.excess]
        found += [] if over else [placement]
        why = why or " and ".join(map(overflow, over))
        if len(found) == COMPILED:
            break
    if not found:
        raise PlacementError(
            f"{board.name} has no room for {first.graph.name}: {why}", hint="give --max-arena or --max-flash"
        )
    return min(found, key=lambda placement: rank(compiled(targets[placement]).plan, placement))


def _placements(board: Board, own: Placement, free: list[str]) -> Iterator[Placement]:
    """Every placement, once: scratch in the arena's region is part of the arena."""
    for regions in product(*(regions_for(board, part) for part in free)):
        placement = replace(own, **dict(zip(free, regions, strict=True)))
        if placement.scratch_apart or "scratch" not in free:
            yield placement
        elif placement.scratch is not None:
            yield replace(placement, scratch=None)


def changes(own: Placement, other: Placement) -> int:
    """Parts that lie in other regions."""
    return sum(getattr(own, part) != getattr(other, part) for part in SOLVED)


def expected_cycles(plan: Plan, target: Target) -> float:
    """Expected modelled cycles of a plan on a target of the same core, with another kernel where one does not apply."""
    return sum(
        step.overhead + sum(part.times * _cycles(part, replace(part.context, target=target)) for part in step.parts)
        for step in plan.steps
    )


def _cycles(part: KernelUse, context: Context) -> float:
    kernel = part.kernel if part.kernel.applies(context) else candidates(context)[0]
    return cost_of(kernel, context).cycles
