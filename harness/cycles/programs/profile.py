"""The profile of a program: its regions as a tree, with what each executed and the cycles that a board would take.

profile = profile_program(Path("app.elf"), find_board("nucleo-l4r5"), start="main", functions=["conv*"])
profile.regions[0].inclusive, profile.estimate.cycles
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.build.progress import Progress
from harness.cycles.board_tables import board_table, boards, setup
from harness.cycles.engine import Estimate, LayerEstimate, estimate
from harness.cycles.pipeline import Cause
from harness.cycles.profile import LayerProfile, Profile
from harness.cycles.programs.layout import check_image, compilers, handlers, placed_by_address, read_code, spans_of
from harness.cycles.programs.points import WHOLE, Points, find_points
from harness.cycles.programs.running import TracedRun, runner_of
from harness.cycles.replay import count, simulate
from harness.errors import ProfileError
from harness.hardware.board import Board
from harness.units import Quantity, Unit, total


@dataclass(frozen=True, eq=False)
class ProgramRegion:
    """A region within the regions around it.

    Attributes:
        name: of the function or marker; of the first all that is profiled.
        number: in the profile.
        parent: number of the region around it; None for the first.
        entries: times that it was begun.
        own: what it executed beside the regions within it.
        estimate: modelled cycles of that.
        inside: the regions within it, those with the most cycles first.
    """

    name: str
    number: int
    parent: int | None
    entries: int
    own: LayerProfile
    estimate: LayerEstimate
    inside: tuple[ProgramRegion, ...]

    def walk(self) -> Iterator[ProgramRegion]:
        """The region and all within it, each before what is within it."""
        yield self
        for region in self.inside:
            yield from region.walk()

    @property
    def instructions(self) -> Quantity:
        """Executed instructions, with all within it."""
        return total((region.own.instructions for region in self.walk()), Unit.INSTRUCTIONS)

    @property
    def cycles(self) -> Quantity:
        """Modelled cycles, with all within it."""
        return total((region.estimate.cycles for region in self.walk()), Unit.MODELLED_CYCLES)

    def cause(self, cause: Cause) -> Quantity:
        """Modelled cycles of one cause, with all within it."""
        zero = Quantity(0, Unit.MODELLED_CYCLES)
        return total((region.estimate.causes.get(cause, zero) for region in self.walk()), Unit.MODELLED_CYCLES)


@dataclass(frozen=True, eq=False)
class ProgramProfile:
    """A profiled program.

    Attributes:
        profile: what it executed; its layers are the regions, by number.
        estimate: modelled cycles of the regions alone.
        whole: the first region, with all others.
        board: that it ran on.
        setup: name of the board's set-up; None without a cycle table: then only the core is modelled.
        notes: of regions that do not nest.
    """

    profile: Profile
    estimate: Estimate
    whole: ProgramRegion
    board: Board
    notes: tuple[str, ...]


def profile_program(
    elf: Path,
    board: Board,
    *,
    start: str = "main",
    stop: str | None = None,
    functions: Sequence[str] = (),
    limit_s: float = 300.0,
    progress: Progress | None = None,
) -> ProgramProfile:
    """Runs a program on its emulated board and models the cycles of its regions.

    Args:
        elf: an image with symbols, built for the board.
        board: the board.
        start: symbol or address where profiling begins.
        stop: where it ends; None: where the function `start` returns.
        functions: patterns of functions that are regions of their own.
        limit_s: seconds that the run may take.
        progress: see harness.build.progress.

    Raises:
        ImageFileError: the image cannot be read.
        ProfileError: see find_points() and runner_of(); or the program does not come to the end of what is profiled.
        EmulatorMissingError: the emulator is not installed.
        ToolchainMissingError: there is no compiler for the profiler's native part.
    """
    check_image(elf)
    points = find_points(elf, start, stop, functions)
    return profile_points(elf, board, points, limit_s=limit_s, progress=progress)


def profile_points(
    elf: Path,
    board: Board,
    points: Points,
    *,
    limit_s: float,
    arguments: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> ProgramProfile:
    """The same for regions that are known; `arguments` are further ones for the emulator. Raises the same errors."""
    runner = runner_of(board)
    addresses = handlers(elf, board)
    emulator = f"{runner.emulator} {runner.version()}"
    with tempfile.TemporaryDirectory(prefix="tinyhil-") as made:
        folder = Path(made)
        listed = folder / "points"
        listed.write_text(points.lines() + "".join(f"handler {address:x}\n" for address in addresses))
        run = TracedRun(elf, board, listed, folder / "trace", limit_s, points.names[WHOLE], arguments)
        runner.run(run, progress)
        tree = _read_paths(run.paths, points)
        spans = spans_of(board)
        counted = count(run.trace, spans)
        if [one.entry for one in counted] != list(range(len(tree.parents))):
            raise ProfileError("the trace has other regions than were entered", hint="this is a bug, please report it")
        names = [points.names[region] for region in tree.regions]
        layers = tuple(
            LayerProfile(name, number, one.counts, one.transfers, one.accesses)
            for number, (name, one) in enumerate(zip(names, counted, strict=True))
        )
        profile = Profile(
            elf.stem, layers, elf, read_code(elf), spans, board.name, board.core, emulator, compilers(elf), run.trace
        )
        made_estimate = _estimate(profile, board)
    whole = _tree(profile, made_estimate, tree, 0)
    return ProgramProfile(profile, made_estimate, whole, board, tree.notes)


@dataclass(frozen=True)
class _Paths:
    parents: tuple[int, ...]
    regions: tuple[int, ...]
    entries: tuple[int, ...]
    notes: tuple[str, ...]


def _read_paths(file: Path, points: Points) -> _Paths:
    """The tree of regions, as harness/cycles/native/tracer_regions.h writes it."""
    parents, regions, entries, notes = [], [], [], []
    whole = False
    for line in file.read_text().splitlines():
        word, *numbers = line.split()
        values = [int(number) for number in numbers]
        if word == "path":
            parents.append(values[0])
            regions.append(values[1])
            entries.append(values[2])
        elif word == "unclosed":
            notes.append(f"region {points.names[values[0]]} did not end in the function or region that it began in")
        elif word == "unopened":
            notes.append(f"region {points.names[values[0]]} ended where it had not begun")
        whole = whole or word == "whole"
    if not whole:
        raise ProfileError(
            f"{points.names[WHOLE]} has too many regions or calls within one another",
            hint="give --functions a narrower pattern; does it recurse without end?",
        )
    return _Paths(tuple(parents), tuple(regions), tuple(entries), tuple(notes))


def _estimate(profile: Profile, board: Board) -> Estimate:
    if board.name not in boards():
        return estimate(profile, None, core=board.core)
    costed = setup(board_table(board.name), {})
    costed = replace(costed, system=placed_by_address(costed.system, board))
    return estimate(profile, costed, misses=simulate(profile, costed.system))


def _tree(profile: Profile, estimated: Estimate, paths: _Paths, number: int) -> ProgramRegion:
    inside = [_tree(profile, estimated, paths, n) for n, p in enumerate(paths.parents) if p == number and n != number]
    layer = profile.layers[number]
    return ProgramRegion(
        layer.name,
        number,
        None if number == 0 else paths.parents[number],
        paths.entries[number],
        layer,
        estimated.layers[number],
        tuple(sorted(inside, key=lambda region: (-region.cycles.value, region.number))),
    )
