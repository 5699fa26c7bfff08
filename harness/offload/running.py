"""A model on an NPU: compiled, counted, run and checked, beside the same model on the CPU alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.ethosu.pmu import NO_WAITS, MemoryTiming
from harness.ethosu.vela import VelaOptions, vela_version
from harness.ir.graph import Graph
from harness.offload.checking import OutputCheck, OutputChecker
from harness.offload.compilation import (
    NpuCompilation,
    check_accelerator,
    compile_subject,
    compiled_before,
    configuration_of,
)
from harness.offload.configuration import NpuConfiguration
from harness.offload.counting import Beats, StreamCount, count, sum_beats
from harness.offload.cpu import CpuCost, CpuEstimate, estimate, measure
from harness.offload.fallback import CpuOperator, cpu_operators, reasons
from harness.offload.layers import NpuLayer, layers_of
from harness.offload.memory import NpuMemoryUse, memory_of
from harness.offload.subject import NpuSubject
from harness.validate import vectors
from harness.validate.card import FileVectors, RandomVectors

if TYPE_CHECKING:
    from harness.build.progress import Progress


@dataclass(frozen=True)
class NpuRequest:
    """What is asked for.

    Attributes:
        options: of Vela.
        vectors: for the check; None for no check.
        clock_hz: of NPU and CPU; None for the system configuration's.
        waits: see NpuCompilation.timing.
        measure: run what is on the CPU on the emulated board, instead of estimating it.
    """

    options: VelaOptions
    vectors: RandomVectors | FileVectors | None
    clock_hz: float | None = None
    waits: bool | None = None
    measure: bool = False


@dataclass(frozen=True, eq=False)
class OffloadRun:
    """A model on an NPU.

    Attributes:
        subject, compilation: the model, and what Vela made of it.
        vela: version of Vela; "" for a file that was compiled before.
        basis: the memories that cycles are counted with; None for an accelerator that is not simulated.
        counts: of each stream.
        waiting: cycles with the configuration's memories; None where they are not known.
        unhindered: cycles with memories that never let the NPU wait.
        left: operators on the CPU.
        costs: of these by their place in the compiled file, where they are known.
        image: the compiled model in tinyhil's own code; else the reason why that is not known.
        alone: the model on the CPU alone; else the reason why that is not known.
        check: None where none was asked for.
        memory: None for an accelerator that is not simulated.
    """

    subject: NpuSubject
    compilation: NpuCompilation
    vela: str
    basis: MemoryTiming | None
    counts: tuple[StreamCount, ...]
    waiting: int | None
    unhindered: int
    left: tuple[CpuOperator, ...]
    costs: Mapping[int, CpuCost]
    layers: tuple[NpuLayer, ...]
    image: CpuEstimate | str
    alone: CpuEstimate | str
    check: OutputCheck | None
    memory: NpuMemoryUse | None
    clock_hz: float

    @property
    def active(self) -> int:
        """Cycles of the NPU in an inference."""
        return sum(one.active for one in self.counts)

    @property
    def beats(self) -> Beats:
        """What the NPU moves in an inference."""
        return sum_beats([one.beats for one in self.counts])

    @property
    def cpu(self) -> CpuCost | None:
        """Estimated cost of the operators that stay on the CPU; None where that of one is not known."""
        if not self.left:
            return CpuCost(0, 0, ())
        if len(self.costs) < len(self.left):
            return None
        known = self.costs.values()
        return CpuCost(sum(cost.instructions for cost in known), sum(cost.cycles for cost in known), ())


def run_subject(subject: NpuSubject, request: NpuRequest, tell: Progress) -> OffloadRun:
    """Compiles, counts, runs and checks a model.

    Raises:
        OptionError: options that do not go together.
        VelaMissingError, VelaRefusedError: see run_vela.
        CommandStreamError: the NPU cannot carry out a command of a file that was compiled before.
    """
    if not subject.compiled:
        check_accelerator(request.options.accelerator)
    known = configuration_of(request.options)
    checker = None if request.vectors is None else OutputChecker(subject, request.vectors, tell)
    tell(f"compile for {request.options.accelerator}", 0, 0)
    if request.measure:
        compilation = compile_any(subject, request.options, known)
        return finish(subject, compilation, request, alone_on_cpu(subject, request, tell), checker, tell)
    with ThreadPoolExecutor(2) as other:  # Vela and the reference are processes of their own
        if checker is not None:
            checker.begin(other)
        alone = other.submit(alone_on_cpu, subject, request, tell)
        compilation = compile_any(subject, request.options, known)
        return finish(subject, compilation, request, alone.result(), checker, tell)


def compile_any(subject: NpuSubject, options: VelaOptions, known: NpuConfiguration | None) -> NpuCompilation:
    """Compiles a model, unless it is compiled already. Raises: see compile_subject and compiled_before."""
    if subject.compiled:
        return compiled_before(subject, options, known)
    return compile_subject(subject, options, known)


def finish(
    subject: NpuSubject,
    compilation: NpuCompilation,
    request: NpuRequest,
    alone: CpuEstimate | str,
    checker: OutputChecker | None,
    tell: Progress,
) -> OffloadRun:
    """The run of a model that is compiled."""
    operators = () if compilation.model is None else [operator for _, operator in compilation.model.operators]
    basis, waits = compilation.timing(request.waits), compilation.waits
    counts = tuple(count(operator, basis) for operator in operators) if basis is not None else ()
    waiting = None if waits is None else sum(count(operator, waits).active for operator in operators)
    printed = "" if compilation.result is None else compilation.result.printed
    left = cpu_operators(compilation.subgraph, subject.subgraph, reasons(printed))
    compiled, why = compilation.read
    image = why if compiled is None else _on_cpu(compiled, request, tell)
    costs = costs_left(left, image, alone)
    return OffloadRun(
        subject,
        compilation,
        "" if subject.compiled else _version(request.options.program),
        basis,
        counts,
        waiting,
        sum(count(operator, NO_WAITS).active for operator in operators),
        left,
        costs,
        layers_of(subject, compilation, counts, left, costs, _known(alone)),
        image,
        alone,
        None if checker is None else checker.check(compilation),
        memory_of(compilation),
        request.clock_hz or compilation.clock_hz,
    )


def _known(estimated: CpuEstimate | str) -> CpuEstimate | None:
    return None if isinstance(estimated, str) else estimated


_version = cache(vela_version)


def costs_left(
    left: Sequence[CpuOperator], image: CpuEstimate | str, alone: CpuEstimate | str
) -> dict[int, CpuCost]:
    """What operators on the CPU cost, by place: as the image has them, else as the model on the CPU alone has them."""
    numbers = {one.number for one in left}
    found = {}
    for one in left:
        if not isinstance(image, str):
            cost = image.cost_of(one.place)
        else:
            cost = None if isinstance(alone, str) or one.number is None else alone.cost_of(one.number)
            if cost is not None and not numbers >= set(cost.sources):
                cost = None  # with one that is on the NPU here
        if cost is not None:
            found[one.place] = cost
    return found


def alone_on_cpu(subject: NpuSubject, request: NpuRequest, tell: Progress) -> CpuEstimate | str:
    """The model on the CPU alone; else why that is not known."""
    if subject.compiled:
        return "the model before Vela is not known"
    return subject.unread if subject.graph is None else _on_cpu(subject.graph, request, tell)


def _on_cpu(graph: Graph, request: NpuRequest, tell: Progress) -> CpuEstimate | str:
    if not request.measure:
        return estimate(graph)
    given = vectors.load(request.vectors or RandomVectors(random=1), graph, Path.cwd())
    return measure(graph, given.inputs[0], tell)
