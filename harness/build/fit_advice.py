"""What would help packages that do not fit a board: other goals of the compiler, other regions, other boards.

Whatever is advised with a number was tried: the compiler was run for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.build.fit import RegionUse, fit, overflow
from harness.compiler.goals import Goals, Mode
from harness.errors import DoesNotFitError, TinyhilError
from harness.hardware.cores import core
from harness.hardware.placement import check_placement

if TYPE_CHECKING:
    from harness.build.sources import PackageSources
    from harness.compiler.emit.package import Package
    from harness.hardware.board import Board, Placement

_BOARDS = 2
"""Most boards that are named."""

_GENERAL = "take a smaller model, fewer models in one image, another placement, or a board with more memory"


@dataclass(frozen=True)
class _Lack:
    """What does not fit where; `excess` is bytes by region."""

    packages: Sequence[PackageSources]
    board: Board
    placement: Placement | None
    excess: Mapping[str, int]


def _named(packages: Sequence[PackageSources]) -> str:
    """The packages, by their names where they are few."""
    first, *others = (package.plan.name for package in packages)
    return f"{first} and {len(others)} others" if len(others) > 2 else " and ".join([first, *others])


def check_fit(packages: Sequence[PackageSources], board: Board, placement: Placement | None) -> None:
    """Refuses packages whose arena, stack and weights alone are more than a region holds.

    Raises:
        DoesNotFitError: names the bytes, and what would help.
    """
    over = [use.certain for use in fit(packages, board, placement) if use.certain.excess]
    if over:
        excess = {use.region.name: use.excess for use in over}
        whole = {use.region.name: use.excess for use in _uses(packages, board, placement)}
        raise DoesNotFitError(
            f"{_named(packages)} does not fit {board.name}: {' and '.join(map(overflow, over))}",
            hint=advice(packages, board, placement, {name: whole[name] for name in excess}),
            excess=excess,
        )


def advice(
    packages: Sequence[PackageSources], board: Board, placement: Placement | None, excess: Mapping[str, int]
) -> str:
    """What to try next, for an error.

    Args:
        packages, board, placement: what does not fit.
        excess: region -> bytes that it lacks; an image lacks those of the test harness, too.
    """
    if not excess:
        return _GENERAL
    lack = _Lack(packages, board, placement or board.placement, excess)
    failed, helping = _other_goals(lack)
    steps = [*_other_regions(lack), *helping, *_other_boards(lack)]
    return "; ".join([*failed, *(steps or [_GENERAL])])


def _uses(packages: Sequence[PackageSources], board: Board, placement: Placement | None) -> tuple[RegionUse, ...]:
    return fit(packages, board, placement, harness=True)


def _other_goals(lack: _Lack) -> tuple[list[str], list[str]]:
    """(goals that save bytes, but too few; goals that are all it takes)."""
    uses = {use.region.name: use for use in _uses(lack.packages, lack.board, lack.placement)}
    ways: tuple[tuple[str, Mode, str], ...] = (
        ("arena", "ram", "an arena of"),
        ("weights", "flash", "weights and tables of"),
    )
    failed, helping = [], []
    for part, mode, what in ways:
        short = [name for name in lack.excess if name in uses and uses[name].holds(part)]
        if not short:
            continue
        before = _bytes_of(part, lack.packages)
        wanted = before - max(lack.excess[name] for name in short)
        after = _bytes_in(part, lack.packages, Goals(mode))
        if after is not None and after <= wanted:
            budget = f"--max-arena {wanted}, or " if part == "arena" else ""
            helping.append(f"{budget}--optimize {mode}, which gives {what} {after:,} bytes instead of {before:,}")
            continue
        budget_kept = _bytes_in(part, lack.packages, Goals(mode, max_arena=wanted)) if part == "arena" else None
        if budget_kept is not None:
            helping.append(f"--max-arena {wanted}, which gives {what} {budget_kept:,} bytes instead of {before:,}")
        elif after is not None and after < before:
            failed.append(f"--optimize {mode} is not enough: {what} {after:,} bytes, {after - wanted:,} too many")
    return failed, helping


def _bytes_in(part: str, packages: Sequence[PackageSources], goals: Goals) -> int | None:
    """What a part takes with other goals; None where they are the packages' own, or cannot be kept."""
    again = _compiled(packages, goals)
    return None if again is None else _bytes_of(part, again)


def _bytes_of(part: str, packages: Sequence[PackageSources]) -> int:
    if part == "arena":
        return max(package.plan.arena_size for package in packages)
    return sum(package.constant_bytes for package in packages)


def _compiled(packages: Sequence[PackageSources], goals: Goals) -> list[Package] | None:
    """The packages compiled again for other goals; None where these are theirs, or cannot be kept."""
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import emit
    from harness.frontends.tflite.reader import load

    if goals.max_arena is None and all(package.plan.goals.optimize == goals.optimize for package in packages):
        return None
    found = []
    for package in packages:
        plan = package.plan
        target = next((part.context.target for step in plan.steps for part in step.parts), plan.core)
        try:
            found.append(emit(compile_graph(load(plan.graph.model), core=target, name=plan.name, goals=goals)))
        except TinyhilError:  # a graph that came from no file, or a budget that cannot be kept
            return None
    return found


def _other_regions(lack: _Lack) -> list[str]:
    """Another region for a part, where that is all it takes."""
    if lack.placement is None:
        return []
    steps = []
    for part in ("arena", "scratch", "weights", "code"):
        if lack.placement.regions[part] not in lack.excess:
            continue
        for region in lack.board.memory:
            moved = replace(lack.placement, **{part: region.name})
            try:
                check_placement(lack.board, moved)
            except TinyhilError:
                continue
            if not any(use.excess for use in _uses(lack.packages, lack.board, moved)):
                steps.append(f"--placement {part}={region.name}")
                break
    return steps


def _other_boards(lack: _Lack) -> list[str]:
    """Boards of the registry that have the room; those of the same core and kind first, and the smallest of them."""
    from harness.hardware.boards_file import known_boards

    features = core(lack.packages[0].plan.core).features if lack.packages else frozenset()
    fitting = []
    for board in known_boards():
        uses = _uses(lack.packages, board, None)
        if board.name == lack.board.name or not uses or not features <= core(board.core).features:
            continue
        if not any(use.excess for use in uses) and _roomier(board, lack):
            fitting.append(board)
    fitting.sort(
        key=lambda board: (
            board.backend != lack.board.backend,
            board.core != lack.board.core,
            board.memory_total("ram") + board.memory_total("flash"),
        )
    )
    names = " or ".join(board.name for board in fitting[:_BOARDS])
    return [f"--board {names}, where it fits"] if names else []


def _roomier(board: Board, lack: _Lack) -> bool:
    """Whether a board has what the other lacks, test harness included, in the regions of the same parts."""
    own = {part.name: use for use in _uses(lack.packages, lack.board, lack.placement) for part in use.parts}
    theirs = {part.name: use for use in _uses(lack.packages, board, None) for part in use.parts}
    return all(
        theirs[part].region.size - theirs[part].used >= use.region.size + lack.excess[use.region.name] - use.used
        for part, use in own.items()
        if use.region.name in lack.excess and part in theirs
    )
