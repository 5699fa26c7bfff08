"""Workbench: runs a card on a board, for the command and the pytest plugin.

It keeps what several runs share: imported graphs, the oracle's results, compiled packages. A board's session is opened
for one run and closed after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.build import BuildOptions
from harness.build.progress import Progress
from harness.compiler.goals import Goals
from harness.cycles.auto_placement import solve_placement
from harness.cycles.targets import target_of_run
from harness.errors import OptionError, OracleError, OracleMissingError
from harness.ethosu.vela import VelaOptions
from harness.ir.graph import Graph
from harness.npu.compiling import for_npu, on_npu
from harness.oracle import ORACLES
from harness.quantization.types import Array
from harness.runtimes import DEFAULT_RUNTIME, ProgramRun, ProgramRuntime, making_sources
from harness.runtimes.forms import DEFAULT_FORM, FORMS, Form, FormedImage
from harness.validate import vectors
from harness.validate.beside_tflm import LIVE_VECTORS, BesideTflm, beside_tflm
from harness.validate.card import Card
from harness.validate.checks import Evidence
from harness.validate.clock import PhaseClock
from harness.validate.compressed import CompressedModels, compression_of, goals_of
from harness.validate.differences import output_diffs
from harness.validate.expected import expected_layers
from harness.validate.float_model import FloatModel, measure_float_model
from harness.validate.link_check import AUTO, UART, LinkCheck, check_uart, link_to_build
from harness.validate.npu import SPECIFICATION, check_npu, reference_of
from harness.validate.options import ORIGINAL_OPINION, Options, apply_options, chosen_runtime
from harness.validate.outcome import Outcome
from harness.validate.places import StaticRun, run_static
from harness.validate.placing import stand_in_notes, wanted_regions
from harness.validate.reference import Reference, References
from harness.validate.running import GivenForm, Ran, Subject, run_image
from harness.validate.truth import check_truth, labels_are_classes
from harness.validate.vectors import Vectors
from harness.validate.verdict import Opinion, make_verdict

if TYPE_CHECKING:
    from harness.boards.source import BoardSource
    from harness.build import Image
    from harness.compiler.emit.package import Package
    from harness.compression.network import CompressedModel
    from harness.hardware.board import Board
    from harness.hardware.target import Target
    from harness.link.compare import ExpectedLayers
    from harness.runtimes import Runtime
    from harness.validate.measurement import Measurement

OPINION_VECTORS = 20


class Workbench:
    """Runs models on boards; keeps what the runs share."""

    def __init__(self, *, cache_dir: Path | None = None, boards: BoardSource | None = None) -> None:
        """boards: where boards come from; None for this host."""
        from harness.boards.source import OwnBoards

        self._cache_dir = cache_dir
        self.boards: BoardSource = boards or OwnBoards()
        self._graphs: dict[tuple[Path, int, int], Graph] = {}
        self._compiled: dict[tuple[str, str, VelaOptions], Graph] = {}
        self._packages: dict[tuple[str, str, Target, str, Goals], Package] = {}
        self._references = References()
        self._compressed = CompressedModels(self.package)
        self._float_models: dict[tuple[Path, str, str], FloatModel | None] = {}

    def graph(self, model: Path) -> Graph:
        """The imported and verified model.

        Raises:
            ModelFileError, UnsupportedModelError, GraphError: the model cannot be used.
        """
        from harness import frontends

        try:
            facts = model.stat()
        except (OSError, ValueError):
            return frontends.load(model)  # raises the error
        key = (model.resolve(), facts.st_mtime_ns, facts.st_size)
        if key not in self._graphs:
            self._graphs[key] = frontends.load(model)
        return self._graphs[key]

    def compiled(self, model: Path, npu: VelaOptions | None) -> Graph:
        """What runs of a model: what Vela makes of it for an NPU, or without one the model itself.

        Raises:
            ToolError: Vela is not there.
            InputError, UnsupportedModelError: it does not take the model or the options.
        """
        graph = self.graph(model)
        if npu is None:
            return graph
        key = (graph.sha256, graph.name, npu)
        if key not in self._compiled:
            self._compiled[key] = for_npu(graph, npu)
        return self._compiled[key]

    def compressed(
        self, card: Card, target: Target, goals: Goals, tell: Progress | None = None
    ) -> CompressedModel | None:
        """What the card's compression makes of its model, see CompressedModels.get; None where it wants none."""
        return self._compressed.get(card, self.graph(card.model), target, goals, tell)

    def package(
        self,
        graph: Graph,
        core: str | Target,
        name: str | None = None,
        goals: Goals = Goals(),  # noqa: B008
        *,
        runtime: str = DEFAULT_RUNTIME,
    ) -> Package:
        """The model compiled for a core or target.

        Raises:
            BudgetError: no compilation keeps the goals' budgets.
            OptionError: there is no such runtime.
        """
        from harness.hardware.target import Target

        target = core if isinstance(core, Target) else Target(core)
        name = name or graph.name
        key = (runtime, graph.sha256, target, name, goals)
        if key not in self._packages:
            self._packages[key] = making_sources(runtime).package(graph, target, name, goals)
        return self._packages[key]

    def validate(
        self,
        card: Card,
        board: str,
        options: Options = Options(),  # noqa: B008
        progress: Progress | None = None,
        given: GivenForm | None = None,
    ) -> Outcome:
        """Builds the card's model for `board`, runs it there, and compares; `given` is a form that no option names.

        Raises:
            TinyhilError: the checks could not be made. A check that fails raises nothing.
        """
        notes: list[str] = []
        tell = progress or _silent
        outcome = self.boards.again(lambda: self._validate(card, board, options, tell, given), notes.append)
        return replace(outcome, notes=(*outcome.notes, *notes)) if notes else outcome

    def _validate(
        self, card: Card, board: str, options: Options, tell: Progress, made: GivenForm | None = None
    ) -> Outcome:
        clock = PhaseClock()
        card = self._of_specification(apply_options(card, options))
        with clock.phase("import"):
            subject = self._subject(card, board, options, tell)
            subject = subject if made is None else replace(subject, form=made.form)
        resolved, graph, given = subject.resolved, subject.graph, subject.vectors
        with clock.phase("oracle"):
            tell(f"oracle {card.oracle}", 0, 0)
            reference = reference_of(self._references, card.oracle, subject, tell)
        ran = self._ran(card, subject, options, reference, clock, tell, None if made is None else made.package)
        package, image, measurement = ran.package, ran.image, ran.measurement
        with clock.phase("compare"):
            classes = labels_are_classes(card)
            float_model = self._float_model(card, subject.model, given)
            compression = compression_of(card, subject, reference, self._references, tell)
            evidence = Evidence(
                resolved, subject.runtime, graph, package.plan, given, reference, image, measurement, classes,
                float_model, ran.places,
            )
            verdict = make_verdict(card, evidence)
            opinions, opinion_notes = self._opinions(card, subject.model, given, options, measurement, tell)
        with clock.phase("TFLM"):
            beside = self._beside_tflm(subject, options, reference, measurement, tell)
        return Outcome(
            card=card,
            graph=graph,
            runtime=subject.runtime,
            form=subject.form.name,
            package=package,
            resolved=resolved,
            link=image.link,
            link_check=ran.link_check,
            vectors=given,
            reference=reference,
            image=image,
            measurement=measurement,
            verdict=verdict,
            opinions=(*opinions, *beside.opinions),
            opinion_notes=opinion_notes,
            float_model=float_model,
            compression=compression,
            baselines=beside.baselines,
            places=ran.places,
            static=ran.static,
            transcript=ran.transcript,
            notes=(
                *graph.notes, *ran.notes, *measurement.notes(), *stand_in_notes(card, resolved, package, options),
                *beside.notes,
            ),
            seconds={**clock.seconds, **{f"run: {k}": v for k, v in measurement.seconds.items()}},
        )  # fmt: skip

    def run(
        self,
        model: Path,
        board: str,
        arrays: Sequence[Sequence[Array]],
        options: Options = Options(),  # noqa: B008
        progress: Progress | None = None,
    ) -> list[tuple[Array, ...]]:
        """The outputs of `board` for inputs in memory, without a reference: [vector][model output]."""
        tell = progress or _silent
        return self.boards.again(lambda: self._outputs(model, board, arrays, options, tell), lambda _: None)

    def _outputs(
        self, model: Path, board: str, arrays: Sequence[Sequence[Array]], options: Options, tell: Progress
    ) -> list[tuple[Array, ...]]:
        resolved = self.boards.resolve(board, probe=options.probe)
        graph = self.compiled(model, options.npu)
        given = vectors.from_arrays([list(row) for row in arrays], graph)
        goals = options.overrides.goals
        runtime = chosen_runtime(options.runtime or DEFAULT_RUNTIME, resolved.runs_on)
        compiled = partial(self._compiled_for, graph, graph.name, goals, runtime)
        placement = solve_placement(resolved.runs_on, options.placement, graph, goals, compiled)
        check_npu(graph, resolved.runs_on, placement)
        target = target_of_run(resolved, placement)
        if isinstance(runtime, ProgramRuntime):
            return list(self._run_program(runtime, graph, resolved.runs_on, given, options, tell).outputs)
        package = self.package(graph, target, goals=goals, runtime=runtime.name)
        form = FORMS.get((options.forms or (DEFAULT_FORM,))[0])
        subject = Subject(resolved, runtime, form, graph, given, placement, 0, graph)
        formed = self._build(subject, package, options, tell=tell)
        runs, _, _ = run_image(self.boards, subject, formed, tell)
        return list(runs[0].measurement.outputs)

    def _of_specification(self, card: Card) -> Card:
        """The card, with the specification for its oracle where that does not run its model.

        No other runs what Vela has compiled, and those that read a .tflite do not round as ONNX Runtime does.
        """
        graph = self.graph(card.model)
        runs = not on_npu(graph) and ORACLES.get(card.oracle).takes(graph)
        return card if runs else card.model_copy(update={"oracle": SPECIFICATION})

    def _subject(self, card: Card, board: str, options: Options, tell: Progress) -> Subject:
        """Loads the model and its vectors, and resolves board and placement."""
        resolved = self.boards.resolve(board, probe=options.probe)
        runtime = chosen_runtime(card.runtime, resolved.runs_on)
        model = self.graph(card.model)
        given = vectors.load(card.vectors, model, card.base)
        check_truth(card, given, model)
        goals = goals_of(card, options.overrides)
        compiled = partial(self._compiled_for, model, card.name, goals, runtime)
        placement = solve_placement(resolved.runs_on, wanted_regions(card, resolved, options), model, goals, compiled)
        compressed = self.compressed(card, target_of_run(resolved, placement), goals, tell)
        model = model if compressed is None else compressed.graph
        graph = model if card.npu is None else self.compiled(card.model, card.npu.options)
        compared = 0
        if card.checks.layers is not None and runtime.measures.layer_outputs:
            compared = len(given) if graph.states else min(len(given), options.layer_vectors)
        check_npu(graph, resolved.runs_on, placement)
        form = FORMS.get(card.form[0])
        return Subject(resolved, runtime, form, graph, given, placement, compared, model, compressed)

    def _compiled_for(self, graph: Graph, name: str, goals: Goals, runtime: Runtime, target: Target) -> Package:
        """The model for a target as the runtime makes it; as generated C for one that makes no sources."""
        by = DEFAULT_RUNTIME if isinstance(runtime, ProgramRuntime) else runtime.name
        return self.package(graph, target, name, goals, runtime=by)

    def _compile(self, card: Card, subject: Subject, options: Options) -> Package:
        target = target_of_run(subject.resolved, subject.placement)
        goals = goals_of(card, options.overrides)
        return self.package(subject.graph, target, card.name, goals, runtime=subject.runtime.name)

    def _ran(
        self,
        card: Card,
        subject: Subject,
        options: Options,
        reference: Reference,
        clock: PhaseClock,
        tell: Progress,
        made: Package | None = None,
    ) -> Ran:
        """Makes what the runtime runs, and runs it."""
        if isinstance(subject.runtime, ProgramRuntime):
            return self._ran_program(card, subject, subject.runtime, options, clock, tell)
        with clock.phase("compile"):
            tell("compile", 0, 0)
            package = self._compile(card, subject, options) if made is None else made
        with clock.phase("build"):
            formed = self._build(subject, package, options, tell=tell)
        with clock.phase("run"):
            expected = expected_layers(package.plan, reference.tensors) if subject.compared else None
            runs, transcript, notes = run_image(self.boards, subject, formed, tell, expected)
        image, measurement = formed.image, runs[0].measurement
        with clock.phase("link check"):
            link_check = None
            if formed.prepare is None:
                link_check = self._link_check(subject, image, package, options, measurement, expected, tell)
        with clock.phase("static form"):
            static = self._static(subject, package, options, tell)
        return Ran(package, image, measurement, transcript, notes, link_check, runs, static)

    def _ran_program(
        self, card: Card, subject: Subject, runtime: ProgramRuntime, options: Options, clock: PhaseClock, tell: Progress
    ) -> Ran:
        from harness.validate.program import program_result

        graph, board = subject.graph, subject.resolved.runs_on
        with clock.phase("run"):
            run = self._run_program(runtime, graph, board, subject.vectors, options, tell)
        result = program_result(run, graph, board, card.name, clock.seconds["run"])
        return Ran(result.package, result.image, result.measurement, notes=run.notes)

    def _run_program(
        self, runtime: ProgramRuntime, graph: Graph, board: Board, given: Vectors, options: Options, tell: Progress
    ) -> ProgramRun:
        if not graph.follows_tflm:
            raise OptionError(
                f"runtime {runtime.name} rounds as TFLM does, model '{graph.name}' as ONNX Runtime",
                hint="leave --runtime out",
            )
        program, cache = options.tflm_runner, self._cache_dir
        return runtime.run(graph, board, given.inputs, program=program, cache_dir=cache, progress=tell)

    def _beside_tflm(
        self, subject: Subject, options: Options, reference: Reference, measured: Measurement, tell: Progress
    ) -> BesideTflm:
        if isinstance(subject.runtime, ProgramRuntime) or on_npu(subject.graph) or not subject.graph.follows_tflm:
            return BesideTflm(())
        return beside_tflm(
            subject.graph,
            subject.resolved.runs_on,
            measured.unit,
            subject.vectors.inputs,
            reference.outputs,
            measured.outputs,
            most=LIVE_VECTORS if options.opinions else 1,
            program=options.tflm_runner,
            cache_dir=self._cache_dir,
            progress=tell,
        )

    def _build(
        self,
        subject: Subject,
        package: Package,
        options: Options,
        *,
        link: str | None = None,
        tell: Progress | None = None,
        form: Form | None = None,
    ) -> FormedImage:
        board = subject.resolved.runs_on
        link = link or link_to_build(options.link, board)
        own = BuildOptions(link=link, placement=subject.placement, sanitize=options.sanitize)
        runtime = making_sources(subject.runtime.name)
        form = form or subject.form
        return form.image(runtime, package, board, own, cache_dir=self._cache_dir, progress=tell)

    def _static(self, subject: Subject, package: Package, options: Options, tell: Progress) -> StaticRun | None:
        """The first vector in the form that is linked, for the price of one that can be moved."""
        if not subject.form.movable:
            return None
        formed = self._build(subject, package, options, tell=tell, form=FORMS.get(DEFAULT_FORM))
        return run_static(self.boards, subject.resolved, formed.image, package, subject.vectors.inputs[0], tell)

    def _float_model(self, card: Card, graph: Graph, given: Vectors) -> FloatModel | None:
        """The card's float model, computed once for all boards."""
        key = (card.base, str(card.float_model), given.sha256)
        if key not in self._float_models:
            self._float_models[key] = measure_float_model(card, graph, given)
        return self._float_models[key]

    def _link_check(
        self,
        subject: Subject,
        image: Image,
        package: Package,
        options: Options,
        measured: Measurement,
        expected: Sequence[ExpectedLayers] | None,
        tell: Progress,
    ) -> LinkCheck | None:
        """The first vector over the UART, where the link was left to us and another is faster."""
        if options.link != AUTO or image.link == UART:
            return None
        tell("uart", 0, 0)

        def build(link: str) -> Image:
            return self._build(subject, package, options, link=link, tell=tell).image

        first = None if expected is None else expected[0]
        vector = subject.vectors.inputs[0]
        return check_uart(self.boards, subject.resolved, build, package, vector, measured, image.link, first)

    def _opinions(
        self, card: Card, graph: Graph, given: Vectors, options: Options, measurement: Measurement, tell: Progress
    ) -> tuple[tuple[Opinion, ...], tuple[str, ...]]:
        """(differences of the outputs from each second reference, notes on references that cannot run)."""
        opinions, notes = [], []
        count = min(len(given), OPINION_VECTORS)
        of_original = (ORIGINAL_OPINION,) if options.opinions and graph.original else ()
        for name in () if on_npu(graph) else (*options.opinions, *of_original):
            if name == card.oracle or not ORACLES.get(name).takes(graph):
                continue
            try:
                other = self._references.get(name, graph, given, count=count, tensors=0, progress=tell)
            except OracleMissingError as error:
                notes.append(f"not installed: {error.hint}")
                continue
            except OracleError as error:
                notes.append(f"{name}: {error.message}")
                continue
            diffs = output_diffs(graph, other.outputs, measurement.outputs[:count])
            opinions.append(Opinion(name, other.version, diffs))
        return tuple(opinions), tuple(dict.fromkeys(notes))


def _silent(what: str, done: int, total: int) -> None:
    pass
