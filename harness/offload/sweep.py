"""A model on every accelerator, with every memory system and mode that goes with it, for speed and for size."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import InputError, OptionError
from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.vela import OPTIMISE, VelaOptions
from harness.offload.checking import OutputChecker
from harness.offload.compilation import NAMES, ONLY_COMPILED, check_accelerator, compile_subject, configuration_of
from harness.offload.configuration import NpuConfiguration
from harness.offload.cpu import CpuEstimate
from harness.offload.running import NpuRequest, OffloadRun, alone_on_cpu, finish
from harness.offload.subject import NpuSubject

if TYPE_CHECKING:
    from harness.build.progress import Progress


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """One way to compile a model: what came of it, or why nothing did.

    Attributes:
        best: whether no other point is faster, and none as fast has less RAM or fewer multipliers, and so on.
    """

    options: VelaOptions
    run: OffloadRun | None
    refused: str
    best: bool = False

    @property
    def seconds(self) -> float | None:
        """Of an inference, the CPU's part included, with the waits of the configuration's memories; None if unknown."""
        run = self.run
        if run is None or run.waiting is None or run.cpu is None or not run.compilation.simulated:
            return None
        return (run.waiting + run.cpu.cycles) / run.clock_hz

    @property
    def ram(self) -> int | None:
        """Bytes that must be RAM."""
        return None if self.run is None or self.run.memory is None else self.run.memory.written


@dataclass(frozen=True, eq=False)
class Sweep:
    """All points, the fastest first, then those that were not simulated, then those that were refused."""

    subject: NpuSubject
    points: tuple[SweepPoint, ...]
    alone: CpuEstimate | str


def choices(
    options: VelaOptions, accelerators: Sequence[str], both: bool, known: NpuConfiguration | None
) -> tuple[VelaOptions, ...]:
    """All combinations; what `options` names is kept.

    Args:
        options: names of a system configuration and memory mode keep these; its accelerator does not count.
        accelerators: () for all.
        both: compile for speed and for size; else as `options` says.
        known: the configuration file; None where there is none.
    """
    found = []
    for accelerator in accelerators or NAMES:
        alone = known is None or (accelerator in ONLY_COMPILED and not accelerators)
        pairs = [(options.system_config, options.memory_mode)] if alone else _pairs(accelerator, options, known)
        named = OPTIMISE if both and not (accelerator in ONLY_COMPILED and not accelerators) else (options.optimise,)
        found += [
            replace(options, accelerator=accelerator, system_config=system, memory_mode=mode, optimise=optimise)
            for system, mode in pairs
            for optimise in named
        ]
    return tuple(found)


def _pairs(accelerator: str, options: VelaOptions, known: NpuConfiguration | None) -> list[tuple[str, str]]:
    assert known is not None
    systems = [one for one in known.systems.values() if one.name == options.system_config or not options.system_config]
    modes = [one for one in known.modes.values() if one.name == options.memory_mode or not options.memory_mode]
    return [
        (system.name, mode.name)
        for system in systems
        for mode in modes
        if system.is_for(accelerator) and mode.is_for(system)
    ]


def sweep(
    subject: NpuSubject, request: NpuRequest, accelerators: Sequence[str], both: bool, tell: Progress
) -> Sweep:
    """Compiles, counts and checks every combination; while Vela compiles one, the one before is counted.

    Raises:
        InputError: the configuration file cannot be read, or an accelerator is not known.
        VelaMissingError: there is no Vela.
    """
    for accelerator in accelerators:
        check_accelerator(accelerator)
    known = configuration_of(request.options)
    asked = choices(request.options, accelerators, both, known)
    if not asked:
        options = request.options
        named = [name for name in (*accelerators, options.system_config, options.memory_mode) if name]
        raise OptionError(f"no combination of {', '.join(named)}", hint="leave one out: the table shows what does")
    checker = None if request.vectors is None else OutputChecker(subject, request.vectors, _silent)
    futures: list[Future[SweepPoint]] = []
    with ThreadPoolExecutor(1) as other:
        if checker is not None:
            checker.begin(other)
        alone = other.submit(alone_on_cpu, subject, request, _silent)
        try:
            for number, options in enumerate(asked):
                tell(" ".join((options.accelerator, options.system_config, options.memory_mode)), number, len(asked))
                futures.append(_begin(subject, options, known, request, alone, checker, other))
            points = [future.result() for future in futures]
        except BaseException:
            other.shutdown(wait=False, cancel_futures=True)
            raise
        return Sweep(subject, _ordered(points), alone.result())


def _begin(
    subject: NpuSubject,
    options: VelaOptions,
    known: NpuConfiguration | None,
    request: NpuRequest,
    alone: Future[CpuEstimate | str],
    checker: OutputChecker | None,
    other: ThreadPoolExecutor,
) -> Future[SweepPoint]:
    """Compiles here, and leaves the rest to the other thread."""
    refused: Future[SweepPoint] = Future()
    try:
        compilation = compile_subject(subject, options, known)
    except InputError as error:
        refused.set_result(SweepPoint(options, None, error.message))
        return refused

    def rest() -> SweepPoint:
        try:
            return SweepPoint(options, finish(subject, compilation, request, alone.result(), checker, _silent), "")
        except InputError as error:
            return SweepPoint(options, None, error.message)

    return other.submit(rest)


def _ordered(points: Sequence[SweepPoint]) -> tuple[SweepPoint, ...]:
    """The fastest first; those marked that no other beats."""
    marks = {id(point): _marks(point) for point in points}
    known = [mark for mark in marks.values() if mark is not None]

    def best(point: SweepPoint) -> bool:
        own = marks[id(point)]
        return own is not None and not any(_beats(other, own) for other in known)

    def key(point: SweepPoint) -> tuple[int, float, int]:
        if point.run is None:
            return (2, 0.0, 0)
        return (1, 0.0, 0) if point.seconds is None else (0, point.seconds, point.ram or 0)

    return tuple(sorted((replace(point, best=best(point)) for point in points), key=key))


def _marks(point: SweepPoint) -> tuple[float, ...] | None:
    """What less of is better: time, RAM, multipliers of the NPU."""
    macs = {one.name: one.macs * one.cores for one in ACCELERATORS}.get(point.options.accelerator)
    if point.seconds is None or point.ram is None or macs is None:
        return None
    return (point.seconds, point.ram, macs)


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _silent(what: str, done: int, total: int) -> None:
    """No progress of parts."""
