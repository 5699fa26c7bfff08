"""The regions in which a model is expected to be fastest on a board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from harness.compiler.choice import candidates
from harness.compiler.cost.model import cost_of
from harness.cycles.targets import target_of
from harness.errors import PlacementError
from harness.hardware.placement import AUTO, SOLVED, assign_regions, regions_for

if TYPE_CHECKING:
    from harness.compiler.goals import Goals
    from harness.compiler.plan import KernelUse, Plan
    from harness.hardware.board import Board, Placement
    from harness.hardware.target import Target
    from harness.ir.graph import Graph
    from harness.kernels.context import Context

COMPILED = 4
"""Placements, the fastest by estimate, that the model is compiled for."""


def solve_placement(board: Board, wanted: Mapping[str, str], graph: Graph, goals: Goals) -> Placement | None:
    """The placement that is wanted, with the fastest regions that have room where it says AUTO.

    All are estimated with the kernels that the board's own placement has; for the fastest of them kernels are chosen
    anew. Of equally fast ones the one that changes least of the board's own.

    Args:
        board: the board that runs.
        wanted: part -> name of a region, or AUTO.
        graph: the model.
        goals: of the compilation.

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
    return _fastest(board, own, free, graph, goals)


def _fastest(board: Board, own: Placement, free: list[str], graph: Graph, goals: Goals) -> Placement:
    from harness.build.fit import fit, overflow
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import Package, emit

    packages: dict[Target, Package] = {}
    targets = {placement: target_of(board, placement) for placement in _placements(board, own, free)}

    def package_for(placement: Placement) -> Package:
        target = targets[placement]
        if target not in packages:
            packages[target] = emit(compile_graph(graph, core=target, goals=goals))
        return packages[target]

    def rank(plan: Plan, placement: Placement) -> tuple[int, int]:
        return round(expected_cycles(plan, targets[placement])), changes(own, placement)

    first, why = package_for(own).plan, ""
    found: list[Placement] = []
    for placement in sorted(targets, key=lambda placement: rank(first, placement)):
        over = [use for use in fit([package_for(placement)], board, placement, harness=True) if use.excess]
        found += [] if over else [placement]
        why = why or " and ".join(map(overflow, over))
        if len(found) == COMPILED:
            break
    if not found:
        raise PlacementError(
            f"{board.name} has no room for {graph.name}: {why}", hint="give --max-arena or --max-flash"
        )
    return min(found, key=lambda placement: rank(package_for(placement).plan, placement))


def _placements(board: Board, own: Placement, free: list[str]) -> Iterator[Placement]:
    for regions in product(*(regions_for(board, part) for part in free)):
        yield replace(own, **dict(zip(free, regions, strict=True)))


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
