"""A model on an NPU: compiled, counted, run and checked, beside the same model on the CPU alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness.build.progress import Progress
from harness.ethosu.vela import VelaOptions, vela_version
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
from harness.offload.cpu import CpuCost, CpuEstimate, estimate
from harness.offload.fallback import CpuOperator, cpu_operators, reasons
from harness.offload.layers import NpuLayer, layers_of
from harness.offload.memory import NpuMemoryUse, memory_of
from harness.offload.subject import NpuSubject
from harness.validate.card import FileVectors, RandomVectors


@dataclass(frozen=True)
class NpuRequest:
    """What is asked for.

    Attributes:
        options: of Vela.
        vectors: for the check; None for no check.
        clock_hz: of NPU and CPU; None for the system configuration's.
        alone: whether to estimate the model on the CPU alone.
    """

    options: VelaOptions
    vectors: RandomVectors | FileVectors | None
    clock_hz: float | None = None
    alone: bool = True


@dataclass(frozen=True, eq=False)
class NpuRun:
    """A model on an NPU.

    Attributes:
        subject, compilation: the model, and what Vela made of it.
        vela: version of Vela; "" for a file that was compiled before.
        counts: of each stream, with the memories of `compilation.timing`.
        waiting: cycles with the configuration's memories; None where they are not known.
        left: operators on the CPU.
        alone: the model on the CPU alone; else the reason why it is not known.
        check: None where none was asked for.
        memory: None for an accelerator that is not simulated.
    """

    subject: NpuSubject
    compilation: NpuCompilation
    vela: str
    counts: tuple[StreamCount, ...]
    waiting: int | None
    left: tuple[CpuOperator, ...]
    layers: tuple[NpuLayer, ...]
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
        costs = [self.cpu_cost(one.number) for one in self.left]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(costs):
            return None
        return CpuCost(sum(cost.instructions for cost in known), sum(cost.cycles for cost in known), ())

    def cpu_cost(self, number: int | None) -> CpuCost | None:
        """Estimated cost of an operator that stays on the CPU; with those computed along with it, which then cost 0.

        None where it is not known: tinyhil computes it along with one that is on the NPU here, or not at all.
        """
        if number is None or isinstance(self.alone, str):
            return None
        if number in self.alone.layers:
            cost = self.alone.layers[number]
            return cost if set(cost.sources) <= {one.number for one in self.left} else None
        return CpuCost(0, 0, ()) if number in self.alone.free else None


def run_subject(subject: NpuSubject, request: NpuRequest, tell: Progress) -> NpuRun:
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
    with ThreadPoolExecutor(1) as other:  # Vela is a process of its own, so both make progress
        alone = other.submit(estimate_alone, subject, request)
        tell(f"compile for {request.options.accelerator}", 0, 0)
        compilation = compile_any(subject, request.options, known)
        return finish(subject, compilation, request, alone.result(), checker)


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
) -> NpuRun:
    """The run of a model that is compiled."""
    operators = () if compilation.model is None else [operator for _, operator in compilation.model.operators]
    basis, waits = compilation.timing, compilation.waits
    counts = tuple(count(operator, basis) for operator in operators) if basis is not None else ()
    waiting = None if waits is None else sum(count(operator, waits).active for operator in operators)
    printed = "" if compilation.result is None else compilation.result.printed
    left = cpu_operators(compilation.subgraph, subject.subgraph, reasons(printed))
    return NpuRun(
        subject,
        compilation,
        "" if subject.compiled else vela_version(request.options.program),
        counts,
        waiting,
        left,
        layers_of(subject, compilation, counts, left, None if isinstance(alone, str) else alone),
        alone,
        None if checker is None else checker.check(compilation),
        memory_of(compilation),
        request.clock_hz or compilation.clock_hz,
    )


def estimate_alone(subject: NpuSubject, request: NpuRequest) -> CpuEstimate | str:
    """The model on the CPU alone; else why that is not known."""
    if not request.alone:
        return "not asked for"
    if subject.compiled:
        return "the model before Vela is not known"
    return subject.unread if subject.graph is None else estimate(subject.graph)
