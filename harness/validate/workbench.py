"""From a model card and a board to an Outcome: what the command and the pytest plugin both call.

A Workbench keeps what boards share: imported graphs, the oracle's results, compiled packages. It owns no board: a
session is opened for one run and closed with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from harness.build.progress import Progress
from harness.compiler.goals import Goals, Overrides
from harness.compiler.plan import Plan
from harness.cycles.targets import target_of_run
from harness.errors import OptionError, OracleError, OracleMissingError, TinyhilError, VectorsError
from harness.hardware.placement import assign_regions
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.validate import vectors
from harness.validate.baselines import KERNEL_SETS, Baseline
from harness.validate.baselines import find as find_baseline
from harness.validate.card import Card, FileVectors, OracleName, RandomVectors
from harness.validate.checks import Opinion, Status, Verdict
from harness.validate.reference import Reference, References
from harness.validate.vectors import Vectors
from harness.validate.verdict import make_verdict, output_diffs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.boards import Resolved, Session
    from harness.build import Image
    from harness.compiler.emit.package import Package
    from harness.hardware.target import Target
    from harness.validate.measurement import Measurement

LINKS = ("uart", "fast", "rtt")
SECOND_OPINIONS = ("litert-ref", "litert")
OPINION_VECTORS = 20
LAYER_VECTORS = 20


@dataclass(frozen=True)
class Options:
    """How to run.

    Attributes:
        link: "uart", "fast" for the board's quickest, or "rtt" through the debug probe of a real board.
        vectors: replaces the card's vectors.
        oracle: replaces the card's oracle.
        opinions: second references, reported and never gating; over the first 20 vectors.
        layer_vectors: layers are compared over this many vectors from the first on (a sequence: over all).
        sanitize: build with AddressSanitizer and UndefinedBehaviorSanitizer (host board only).
        placement: part of the image -> memory region; goes before the card's.
        probe: unique id of the debug probe, or BOARD=ID,...; see harness.boards.backends.pyocd.probes.wanted_probe.
        overrides: what to compile for; goes before the card's.
    """

    link: str = "uart"
    vectors: RandomVectors | FileVectors | None = None
    oracle: str | None = None
    opinions: tuple[str, ...] = SECOND_OPINIONS
    layer_vectors: int = LAYER_VECTORS
    sanitize: bool = False
    placement: Mapping[str, str] = field(default_factory=dict)
    probe: str | None = None
    overrides: Overrides = Overrides()


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything known of one model on one board.

    Attributes:
        card: with the options applied.
        graph: the model as imported; `plan.graph` is what runs.
        reference: the oracle that gated.
        opinion_notes: why a second opinion is missing.
        baselines: TFLM's records for this model, core and unit.
        transcript: the last bytes on the line.
        notes: what else the board's session had to say.
        seconds: wall clock by phase.
    """

    card: Card
    graph: Graph
    plan: Plan
    resolved: Resolved
    link: str
    vectors: Vectors
    reference: Reference
    image: Image
    measurement: Measurement
    verdict: Verdict
    opinions: tuple[Opinion, ...]
    opinion_notes: tuple[str, ...]
    baselines: tuple[Baseline, ...]
    transcript: str
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return self.verdict.passed

    def explain(self) -> str:
        """All checks, one a line, for an assertion's message."""
        where = self.resolved.asked.name
        if self.resolved.stand_in:
            where += f" (stand-in: {self.resolved.ran_on})"
        lines = [f"{self.card.name} on {where}:"]
        for check in self.verdict.checks:
            status = "" if check.status is Status.NOT_MEASURED else f"{check.status.value}: "  # the summary says it
            lines.append(f"  {check.name}: {status}{check.summary}")
        return "\n".join(lines)


class Workbench:
    """Runs models on boards and remembers what the runs share."""

    def __init__(self, *, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._graphs: dict[tuple[Path, int, int], Graph] = {}
        self._packages: dict[tuple[str, Target, str, Goals], Package] = {}
        self._references = References()

    def graph(self, model: Path) -> Graph:
        """The imported and verified model.

        Raises:
            ModelFileError, UnsupportedModelError, GraphError: the model cannot be used.
        """
        from harness import frontends

        try:
            facts = model.stat()
        except OSError:
            return frontends.load(model)  # which knows how to say it
        key = (model.resolve(), facts.st_mtime_ns, facts.st_size)
        if key not in self._graphs:
            self._graphs[key] = frontends.load(model)
        return self._graphs[key]

    def package(
        self, graph: Graph, core: str | Target, name: str | None = None, goals: Goals = Goals()  # noqa: B008
    ) -> Package:
        """The model compiled for a core or target.

        Raises:
            BudgetError: no compilation keeps the goals' budgets.
        """
        from harness.compiler.compile import compile_graph
        from harness.compiler.emit.package import emit
        from harness.compiler.names import identifier
        from harness.hardware.target import Target

        target = core if isinstance(core, Target) else Target(core)
        name = identifier(name or graph.name)
        key = (graph.sha256, target, name, goals)
        if key not in self._packages:
            self._packages[key] = emit(compile_graph(graph, core=target, name=name, goals=goals))
        return self._packages[key]

    def validate(
        self, card: Card, board: str, options: Options = Options(), progress: Progress | None = None  # noqa: B008
    ) -> Outcome:
        """Build the card's model for `board`, run it there, and compare.

        Raises:
            TinyhilError: anything that kept the checks from being made; a failed check raises nothing.
        """
        from harness.boards import resolve
        from harness.build import BuildOptions, build_image

        tell = progress or _silent
        clock = _Clock()
        card = apply_options(card, options)
        with clock.phase("import"):
            resolved = resolve(board, probe=options.probe)
            graph = self.graph(card.model)
            given = vectors.load(card.vectors, graph, card.base)
            _check_labels(card, given)
        sequence = bool(graph.states)
        compared = _compared_vectors(card, given, options, sequence)
        with clock.phase("oracle"):
            tell(f"oracle {card.oracle}", 0, 0)
            reference = self._references.get(card.oracle, graph, given, count=len(given), tensors=compared)
        placement = assign_regions(resolved.runs_on, _wanted_regions(card, resolved, options))
        with clock.phase("compile"):
            tell("compile", 0, 0)
            goals = options.overrides.before(card.compile.overrides).goals
            package = self.package(graph, target_of_run(resolved, placement), card.name, goals)
        with clock.phase("build"):
            image = build_image(
                [package],
                resolved.runs_on,
                BuildOptions(link=options.link, placement=placement, sanitize=options.sanitize),
                cache_dir=self._cache_dir,
                progress=tell,
            )
        with clock.phase("run"), _session(resolved, image) as session:
            measurement = _measure(session, image, package, given, compared, tell)
            transcript = session.transcript()
        with clock.phase("compare"):
            verdict = make_verdict(card, resolved, graph, package.plan, given, reference, image, measurement)
            opinions, notes = self._opinions(card, graph, given, options, measurement)
        core, unit = resolved.runs_on.core, measurement.unit
        baselines = (find_baseline(graph.sha256, core, kernels, unit) for kernels in KERNEL_SETS if unit)
        return Outcome(
            card=card,
            graph=graph,
            plan=package.plan,
            resolved=resolved,
            link=image.link,
            vectors=given,
            reference=reference,
            image=image,
            measurement=measurement,
            verdict=verdict,
            opinions=opinions,
            opinion_notes=notes,
            baselines=tuple(b for b in baselines if b is not None),
            transcript=transcript,
            notes=(*session.notes(), *measurement.notes()),
            seconds={**clock.seconds, **{f"run: {k}": v for k, v in measurement.seconds.items()}},
        )

    def run(
        self, model: Path, board: str, arrays: Sequence[Sequence[Array]], options: Options = Options()  # noqa: B008
    ) -> list[tuple[Array, ...]]:
        """The outputs of `board` for inputs in memory, with no reference: per vector an array per model output."""
        from harness.boards import resolve
        from harness.build import BuildOptions, build_image

        resolved = resolve(board, probe=options.probe)
        graph = self.graph(model)
        given = vectors.from_arrays([list(row) for row in arrays], graph)
        placement = assign_regions(resolved.runs_on, options.placement)
        package = self.package(graph, target_of_run(resolved, placement), goals=options.overrides.goals)
        own = BuildOptions(link=options.link, placement=placement)
        image = build_image([package], resolved.runs_on, own, cache_dir=self._cache_dir)
        with _session(resolved, image) as session:
            return list(_measure(session, image, package, given, 0, _silent).outputs)

    def _opinions(
        self, card: Card, graph: Graph, given: Vectors, options: Options, measurement: Measurement
    ) -> tuple[tuple[Opinion, ...], tuple[str, ...]]:
        """The board's outputs against the second references; what one cannot do is a note, never an error."""
        opinions, notes = [], []
        count = min(len(given), OPINION_VECTORS)
        for name in options.opinions:
            if name == card.oracle:
                continue
            try:
                other = self._references.get(name, graph, given, count=count, tensors=0)
            except (OracleMissingError, OracleError) as error:
                notes.append(f"{name}: {error.message}")
                continue
            diffs = output_diffs(graph, other.outputs, measurement.outputs[:count])
            opinions.append(Opinion(name, other.version, diffs))
        return tuple(opinions), tuple(notes)


def choose_boards(names: Sequence[str]) -> tuple[str, ...]:
    """The boards named, each once; "all" stands for every board that runs here as itself.

    Raises:
        BoardConfigError: a name is unknown.
    """
    from harness.boards import find_board, load_boards
    from harness.boards.backends import find_backend

    known = load_boards()
    chosen: list[str] = []
    for name in names:
        if name == "all":
            chosen += [board.name for board in known.values() if find_backend(board.backend).always_runs]
        else:
            chosen.append(find_board(name, known).name)
    return tuple(dict.fromkeys(chosen))


def check_choice(option: Literal["link", "oracle"], value: str) -> None:
    """Check an option's value that a user gave.

    Raises:
        OptionError: it is none of those allowed.
    """
    allowed: tuple[str, ...] = {"link": LINKS, "oracle": get_args(OracleName)}[option]
    if value not in allowed:
        raise OptionError(f"no {option} is named '{value}'", hint=f"one of: {', '.join(allowed)}")


def _silent(what: str, done: int, total: int) -> None:
    pass


def apply_options(card: Card, options: Options) -> Card:
    """The card with the options' vectors and oracle; random vectors have no labels, so that accuracy goes unchecked."""
    changes: dict[str, object] = {}
    if options.vectors is not None and options.vectors != card.vectors:
        changes["vectors"] = options.vectors
        if isinstance(options.vectors, RandomVectors):
            changes["checks"] = card.checks.model_copy(update={"accuracy": None})
    if options.oracle is not None:
        changes["oracle"] = options.oracle
    return card.model_copy(update=changes) if changes else card


def _wanted_regions(card: Card, resolved: Resolved, options: Options) -> dict[str, str]:
    """Where parts of the image are to go: the card's entries for the board that runs, then the options'."""
    board = resolved.runs_on
    return {**card.placing(board.name, has_choice=board.placement is not None), **options.placement}


def _check_labels(card: Card, given: Vectors) -> None:
    if card.checks.accuracy is not None and given.labels is None:
        raise VectorsError(
            f"{card.path or card.model}: checks.accuracy needs labels, {given.name} has none",
            hint="add an integer array `labels` to the .npz file, or take the accuracy check out of the card",
        )


def _compared_vectors(card: Card, given: Vectors, options: Options, sequence: bool) -> int:
    """How many vectors have their layers compared, from the first on."""
    if card.checks.layers is None:
        return 0
    return len(given) if sequence else min(len(given), options.layer_vectors)


@contextmanager
def _session(resolved: Resolved, image: Image) -> Iterator[Session]:
    """A board's session; an error that passes through it takes the line's transcript along."""
    from harness.boards import open_session

    with open_session(resolved, image) as session:
        try:
            yield session
        except TinyhilError as error:
            error.transcript = session.transcript()
            raise


def _measure(
    session: Session,
    image: Image,
    package: Package,
    given: Vectors,
    compared: int,
    tell: Progress,
) -> Measurement:
    """Run all vectors; only the compared ones bring their layers' outputs over the line."""
    from harness.boards.session import open_client
    from harness.validate.measurement import measure

    client = open_client(session, image)
    if compared in (0, len(given)):
        return measure(session, image, package, given.inputs, layers=bool(compared), progress=tell, client=client)
    first, rest = (
        measure(session, image, package, part, layers=layers, profile=layers, progress=tell, client=client)
        for part, layers in ((given.inputs[:compared], True), (given.inputs[compared:], False))
    )
    return replace(
        first,
        outputs=(*first.outputs, *rest.outputs),
        stack_high=max(first.stack_high, rest.stack_high),
        arena_high=max(first.arena_high, rest.arena_high),
        arena_overrun=max(first.arena_overrun, rest.arena_overrun),
        reads_unwritten=first.reads_unwritten or rest.reads_unwritten,
        line=rest.line,
        seconds={phase: seconds + rest.seconds[phase] for phase, seconds in first.seconds.items()},
    )


class _Clock:
    """Wall-clock seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start
