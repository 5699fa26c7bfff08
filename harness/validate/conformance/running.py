"""Runs a suite on a board: many models to an image, and each model's fault its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.build import BuildOptions, build_image
from harness.build.progress import Progress
from harness.compiler.goals import Goals
from harness.cycles.targets import target_of_run
from harness.errors import BuildError, Category, DoesNotFitError, TinyhilError
from harness.hardware.placement import assign_regions
from harness.validate.conformance.judging import judge
from harness.validate.conformance.outcome import ModelOutcome, ModelStatus, SuiteResult
from harness.validate.conformance.prepared import Prepared, SuiteSettings, prepare, refused, told
from harness.validate.conformance.suite import Case
from harness.validate.link_check import AUTO, link_to_build

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.build import Image
    from harness.hardware.board import Placement
    from harness.validate.measurement import Measurement

MODELS = 60
"""Most models of an image; fewer where they have no room."""


def run_suite(
    cases: Sequence[Case],
    board: str,
    settings: SuiteSettings = SuiteSettings(),  # noqa: B008
    goals: Goals = Goals(),  # noqa: B008
    *,
    probe: str | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> SuiteResult:
    """Every case on a board, without layers and times.

    Raises:
        TinyhilError: a tool is missing, or the board cannot be used at all. What concerns one model is its outcome.
    """
    from harness.boards import resolve

    resolved = resolve(board, probe=probe)
    runner = _Runner(resolved, cache_dir, progress)
    target = target_of_run(resolved, runner.placement)
    found: dict[str, ModelOutcome] = {}
    waiting: list[Prepared] = []
    for number, case in enumerate(cases):
        if progress:
            progress("prepare", number, len(cases))
        made = prepare(case, number, target, goals, settings)
        if isinstance(made, ModelOutcome):
            found[case.name] = made
        else:
            waiting.append(made)
        if len(waiting) == MODELS or number == len(cases) - 1:
            found |= {outcome.name: outcome for outcome in runner.outcomes(waiting)}
            waiting = []
    return SuiteResult(resolved.asked.name, runner.images, tuple(found[case.name] for case in cases))


class _Runner:
    def __init__(self, resolved: Resolved, cache_dir: Path | None, progress: Progress | None) -> None:
        board = resolved.runs_on
        self.images = 0
        self.placement: Placement | None = assign_regions(board, {})
        self._resolved = resolved
        self._cache_dir = cache_dir
        self._progress = progress
        self._options = BuildOptions(link=link_to_build(AUTO, board), placement=self.placement)

    def outcomes(self, models: Sequence[Prepared]) -> Iterator[ModelOutcome]:
        """Of all models: in one image, or where that cannot be built, of each half in one of its own."""
        if not models:
            return
        packages = [ready.package for ready in models]
        try:
            image = build_image(
                packages, self._resolved.runs_on, self._options, cache_dir=self._cache_dir, progress=self._progress
            )
        except BuildError as error:
            if len(models) > 1:
                half = len(models) // 2
                yield from self.outcomes(models[:half])
                yield from self.outcomes(models[half:])
            elif isinstance(error, DoesNotFitError):
                yield refused(models[0].case, error)
            else:
                yield models[0].outcome(ModelStatus.ERROR, told(error))
            return
        self.images += 1
        rest = list(models)
        while rest:
            done = list(self._run(rest, image))
            yield from done
            rest = rest[len(done) :]

    def _run(self, models: Sequence[Prepared], image: Image) -> Iterator[ModelOutcome]:
        """Outcomes in one session, up to the first model that ends it."""
        from harness.boards import open_session
        from harness.boards.session import open_client
        from harness.validate.measurement import measure

        with open_session(self._resolved, image) as session:
            client = open_client(session, image)
            for number, ready in enumerate(models):
                if self._progress:
                    self._progress("run", number, len(models))

                def measured(ready: Prepared = ready, *, layers: bool = False) -> Measurement:
                    return measure(
                        session, image, ready.package, ready.vectors.inputs, layers=layers, profile=False, client=client
                    )

                try:
                    first = measured()
                    if first.arena_overrun or first.reads_unwritten:
                        what = "writes behind its arena" if first.arena_overrun else "reads bytes that it never wrote"
                        yield ready.outcome(ModelStatus.WRONG, f"the model {what}")
                        continue
                    yield judge(ready, first.outputs, lambda: measured(layers=True))  # noqa: B023 - called at once
                except TinyhilError as error:
                    if error.category is Category.TOOL:
                        raise
                    yield ready.outcome(ModelStatus.ERROR, told(error))
                    return
