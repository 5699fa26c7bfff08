"""Whether a model fits a microcontroller, by how much, and how fast it would be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.build.fit import RegionUse
from harness.build.fit import fit as fit_memory
from harness.compiler.goals import Mode
from harness.fit.allowance import Answer, Spent, SpentLimit
from harness.fit.compilations import Compilations, Compiled, Progress
from harness.fit.microcontroller import Microcontroller
from harness.fit.timing import ExpectedTime, compile_target, expected_time, no_time
from harness.fit.wishes import Wishes

if TYPE_CHECKING:
    from harness.ir.graph import Graph

CODE_ERROR, CODE_LEAST = 0.45, 2_048
"""Error of the estimated size of code: this share of it, or so many bytes, whichever is more; see docs/fit.md."""

VERDICTS: tuple[Answer, ...] = ("fits", "perhaps", "no")
"""From best to worst. "perhaps": within the error of what is only estimated, code and time."""


@dataclass(frozen=True)
class Room:
    """A memory, or a budget, and what the model takes of it.

    Attributes:
        name: of the region of memory, or "flash budget", "RAM budget".
        kind: of the memory.
        size, used: bytes.
        estimated: bytes of `used` that are only estimated.
    """

    name: str
    kind: Literal["flash", "ram"]
    size: int
    used: int
    estimated: int = 0

    @property
    def slack(self) -> int:
        """Bytes that are left; below 0: that lack."""
        return self.size - self.used

    @property
    def share(self) -> float:
        """The slack as a share of the size."""
        return self.slack / self.size

    @property
    def verdict(self) -> Answer:
        """Whether it is large enough."""
        doubt = code_doubt(self.estimated)
        return "fits" if self.slack >= doubt else "perhaps" if self.slack >= -doubt else "no"


@dataclass(frozen=True)
class ModeFit:
    """A model on a microcontroller, compiled with one goal.

    Attributes:
        mode: of optimization.
        arena, constants, code: bytes; `code` is estimated.
        rooms: each region of memory that holds a part of it, and each budget.
        time: expected; None where it cannot be told.
        spent: beside each wish of latency, cycles or energy what an inference takes.
        compiled: the compilation, shared by all parts of a core.
    """

    mode: Mode
    arena: int
    constants: int
    code: int
    rooms: tuple[Room, ...]
    time: ExpectedTime | None
    spent: tuple[SpentLimit, ...]
    compiled: Compiled

    @property
    def verdict(self) -> Answer:
        """The worst of all rooms and of what an inference takes."""
        return worst([*[room.verdict for room in self.rooms], *[one.verdict for one in self.spent]])

    @property
    def on_time(self) -> Answer:
        """Whether it keeps the latency that was wished for; "fits" where none was."""
        return worst(one.verdict for one in self.spent if one.what == "latency")

    def tightest(self, kind: Literal["flash", "ram"]) -> Room | None:
        """The region or budget of a kind with the least slack; None where there is none."""
        return min((room for room in self.rooms if room.kind == kind), key=lambda room: room.slack, default=None)


@dataclass(frozen=True)
class Fit:
    """A model on a microcontroller.

    Attributes:
        part: the microcontroller.
        wishes: what the model is wished to keep.
        modes: one entry per mode of the wishes; none where no code can be generated for the part.
        refused: why no code can be generated; "" where it can.
        untimed: why no time can be told; "" where it can.
    """

    part: Microcontroller
    wishes: Wishes
    modes: tuple[ModeFit, ...]
    refused: str = ""
    untimed: str = ""

    @property
    def best(self) -> ModeFit | None:
        """The first mode with the best verdict; where none fits, the one that lacks least memory. None if refused."""
        if not self.modes:
            return None
        verdict = self.verdict
        found = [mode for mode in self.modes if mode.verdict == verdict]
        return found[0] if verdict != "no" else min(found, key=lack)

    @property
    def verdict(self) -> Answer:
        """The best of all modes."""
        return min((mode.verdict for mode in self.modes), key=VERDICTS.index, default="no")


def code_doubt(estimated: int) -> int:
    """Bytes that estimated bytes of code may be more or fewer; 0 for none."""
    return max(round(estimated * CODE_ERROR), CODE_LEAST) if estimated else 0


def worst(verdicts: Iterable[Answer]) -> Answer:
    """The worst of some verdicts."""
    return max(verdicts, key=VERDICTS.index, default="fits")


def fit(
    graph: Graph,
    part: Microcontroller,
    wishes: Wishes = Wishes(),  # noqa: B008
    *,
    compilations: Compilations | None = None,
) -> Fit:
    """Whether a model fits a microcontroller.

    Args:
        graph: a verified graph; weights count by their size only.
        part: see harness.fit.known_parts.
        wishes: limits besides the part's sizes.
        compilations: of this graph, to share them between parts.

    Raises:
        CompileError: an operator has no kernel on any core.
    """
    refusal = part.refusal
    if refusal:
        return Fit(part, wishes, (), refused=refusal)
    shared = compilations or Compilations(graph)
    untimed = no_time(graph, part)
    target = compile_target(part)
    modes = tuple(_mode(shared.get(target, mode), part, wishes, untimed) for mode in wishes.modes)
    return Fit(part, wishes, modes, untimed=untimed)


def fit_all(
    graph: Graph,
    parts: Mapping[str, Microcontroller],
    wishes: Wishes = Wishes(),  # noqa: B008
    *,
    progress: Progress | None = None,
) -> tuple[Fit, ...]:
    """The same for many microcontrollers; the model is compiled once per core, board with a cycle table, and mode."""
    targets = {compile_target(part) for part in parts.values() if not part.refusal}
    shared = Compilations(graph, progress=progress, expected=len(targets) * len(wishes.modes))
    return tuple(fit(graph, part, wishes, compilations=shared) for part in parts.values())


def _mode(compiled: Compiled, part: Microcontroller, wishes: Wishes, untimed: str) -> ModeFit:
    uses = fit_memory([compiled.package], part, None)
    time = None if untimed else expected_time(compiled, part)
    arena, constants, code = compiled.plan.arena_size, compiled.package.constant_bytes, compiled.code
    rooms = [_room(use) for use in uses]
    if wishes.max_flash is not None:
        rooms.append(Room("flash budget", "flash", wishes.max_flash, constants + code, code))
    if wishes.max_ram is not None:
        rooms.append(Room("RAM budget", "ram", wishes.max_ram, arena + compiled.plan.scratch_size + part.stack_size))
    spent = tuple(_spent(time, part, wishes))
    return ModeFit(compiled.mode, arena, constants, code, tuple(rooms), time, spent, compiled)


def _room(use: RegionUse) -> Room:
    estimated = sum(part.bytes for part in use.parts if part.estimated)
    return Room(use.region.name, use.region.kind, use.region.size, use.used, estimated)


def _spent(time: ExpectedTime | None, part: Microcontroller, wishes: Wishes) -> Iterator[SpentLimit]:
    """What an inference takes beside each wish; all of it is in proportion to the modelled cycles."""
    joules = None if part.run is None else part.run.joules_a_cycle
    limits: tuple[tuple[Spent, float | None, float | None], ...] = (
        ("latency", wishes.latency_s, 1 / part.clock_hz),
        ("cycles", wishes.cycles, 1.0),
        ("energy", wishes.energy, joules),
    )
    for what, limit, each in limits:
        if limit is None:
            continue
        if time is None or each is None:
            yield SpentLimit(what, limit, None, 0.0, None)
        else:
            high = None if time.high is None else each * time.high.value
            yield SpentLimit(what, limit, each * time.cycles.value, each * time.low.value, high)


def lack(mode: ModeFit) -> float:
    """How much more of everything it takes, as a sum of shares."""
    memory = sum(max(0.0, -room.share) for room in mode.rooms)
    return memory + sum((one.used or 0.0) / one.limit for one in mode.spent if one.verdict == "no")
