"""The command `tinyhil profile`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.commands import profile_elf
from harness.cli.commands.profile_elf import (
    ElfOption,
    FromOption,
    FunctionsOption,
    LimitOption,
    MarkersOption,
    ProgramOptions,
    ToOption,
)
from harness.cli.options import (
    BoardOption,
    CompressOption,
    FarmOption,
    FormOption,
    HotOption,
    JsonOption,
    LinkOption,
    MaxArenaOption,
    MaxFlashOption,
    NpuOption,
    OptimizeOption,
    PlacementOption,
    ProbeOption,
    ProfileVectorsOption,
    ReportOption,
    RuntimeOption,
    TargetOrNoneArgument,
    TflmRunnerOption,
    board_source,
    command_line,
    make_cards,
    make_options,
)
from harness.compiler.goals import parse_overrides
from harness.errors import Category, OptionError, ProfileError, ToolError
from harness.runtimes import DEFAULT_RUNTIME
from harness.runtimes.forms import DEFAULT_FORM, Way
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.cycles.predict import Prediction
    from harness.report.document import Document
    from harness.validate.card import Card
    from harness.validate.options import Options
    from harness.validate.workbench import Workbench


EVERY = "all"
"""Value of --what-if that stands for every mode of the board."""


class Format(StrEnum):
    """Forms in which a profile is printed."""

    TEXT = "text"
    JSON = "json"
    SPEEDSCOPE = "speedscope"


WhatIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if",
        metavar="KEY=VALUE|all",
        help="Cost the same run on a changed board without running: placement=PART:MEMORY, flash=NAME or "
        "clock=80MHz; several in one by +; or all, for every mode of the board. Repeatable.",
    ),
]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="text, json, or speedscope: modelled cycles by layer, function and line, for viewers.",
    ),
]


def profile(
    target: TargetOrNoneArgument = None,
    board: BoardOption = DEFAULT_BOARD,
    link: LinkOption = "auto",
    placement: PlacementOption = None,
    probe: ProbeOption = None,
    farm: FarmOption = None,
    vectors: ProfileVectorsOption = None,
    what_if: WhatIfOption = None,
    hot: HotOption = None,
    layout: FormatOption = Format.TEXT,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    runtime: RuntimeOption = None,
    form: FormOption = None,
    tflm_runner: TflmRunnerOption = None,
    npu: NpuOption = None,
    compress: CompressOption = None,
    elf: ElfOption = None,
    start: FromOption = None,
    stop: ToOption = None,
    functions: FunctionsOption = None,
    limit: LimitOption = 300.0,
    markers: MarkersOption = None,
    report: ReportOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure every layer on a board, and model the cycles that a board would take.

    What is measured stands beside TensorFlow Lite Micro's figures: on mps3-an547 those of Arm's program, if package
    mlia-ethos-u is installed, else recorded ones (`tinyhil docs runtimes`). Modelled cycles come from one observed run
    on an emulator: `tinyhil docs cycles`. With --what-if or --format speedscope only these are shown.

    With --elf, any program's functions and marked regions are profiled instead, with the same model: `tinyhil docs
    profiling`.
    """
    from harness.validate.workbench import Workbench

    as_json = as_json or layout is Format.JSON
    program = ProgramOptions(elf, start, stop, tuple(functions or ()), limit, markers)
    goals = optimize, max_arena, max_flash, compress
    of_models = (placement, probe, farm, vectors, what_if, *goals, runtime, form, tflm_runner, npu)
    if program.wanted(target, any(value is not None for value in of_models) or link != "auto"):
        profile_elf.run(program, board, hot, "json" if as_json else layout.value, report)
        return
    assert target is not None
    (card,) = make_cards([target])
    overrides = parse_overrides(optimize, max_arena, max_flash)
    options = make_options(
        link, vectors, None, False, probe, placement, overrides, runtime, tflm_runner, npu, compress, form
    )
    if what_if or layout is Format.SPEEDSCOPE:
        _check_prediction(report, options)
        _show_prediction(card, board, options, what_if or [], hot, layout, as_json)
        return
    with board_source(farm) as source:
        _show_run(card, board, options, Workbench(boards=source), hot, report, as_json)


def _check_prediction(report: Path | None, options: Options) -> None:
    """Refuses what only a whole run has."""
    if report:
        raise OptionError("--report wants a whole run", hint="leave --what-if and --format out")
    if options.runtime not in (None, DEFAULT_RUNTIME):
        raise OptionError("cycles are modelled of tinyhil's code only", hint="leave --runtime out")
    if options.forms not in ((), (DEFAULT_FORM,)):
        raise OptionError(f"cycles are modelled of the form {DEFAULT_FORM} only", hint="leave --form out")


def _predict(card: Card, board: str, options: Options, bench: Workbench, tell: Progress) -> Prediction:
    from harness.validate.profile import profile_card

    return profile_card(
        card,
        board,
        placement=options.placement,
        vectors=options.vectors,
        overrides=options.overrides,
        npu=options.npu,
        compress=options.compress,
        bench=bench,
        progress=tell,
    )


def _show_prediction(
    card: Card, board: str, options: Options, what_if: list[str], hot: int | None, form: Format, as_json: bool
) -> None:
    from harness.cycles.document import prediction_document
    from harness.cycles.modes import modes
    from harness.cycles.predict import parse_what_if
    from harness.cycles.speedscope import speedscope
    from harness.report import console
    from harness.validate.workbench import Workbench

    if form is Format.SPEEDSCOPE and EVERY in what_if:
        raise OptionError("--format speedscope is of one mode", hint="name it: --what-if flash=NAME+clock=80MHz")
    with terminal.progress(as_json or form is not Format.TEXT, f"{card.name} on {board}") as tell:
        prediction = _predict(card, board, options, Workbench(), tell)
        tried = modes(prediction, tell) if EVERY in what_if else []
    if form is Format.SPEEDSCOPE:
        if what_if:
            prediction = prediction.recost(parse_what_if("+".join(what_if)))
        terminal.print_json(speedscope(prediction.profile, prediction.estimate))
        return
    changed = [prediction.recost(parse_what_if(text)) for text in what_if if text != EVERY]
    document = prediction_document(prediction, changed, tried, hot=_blocks(hot))
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(console.prediction(document, listings=hot is not None))


def _show_run(
    card: Card, board: str, options: Options, bench: Workbench, hot: int | None, report: Path | None, as_json: bool
) -> None:
    from harness.report import console, cycles
    from harness.report.bundle import Invocation, check_folder, results_document, write_bundle
    from harness.report.document import run_document
    from harness.report.environment import environment
    from harness.report.tool_versions import tool_versions
    from harness.validate.card import RandomVectors
    from harness.validate.options import in_way, ways_of

    if report:
        check_folder(report)
    checks = card.checks.model_copy(update={"layers": None, "accuracy": None})
    changes: dict[str, Any] = {"checks": checks, "budgets": {}}
    if options.vectors is None and isinstance(card.vectors, RandomVectors):
        changes["vectors"] = RandomVectors(random=2, seed=card.vectors.seed)
    card = card.model_copy(update=changes)
    outcomes, documents = [], []
    for way in ways_of(card, options, board):
        with terminal.progress(as_json, f"{card.name} on {board}") as tell:
            outcome = bench.validate(card, board, in_way(options, way), tell)
            more = _modelled_way(way)(card, board, options, bench, hot, tell)
        outcomes.append(outcome)
        documents.append({**run_document(outcome), **more})
    session = Invocation(command_line(), tool_versions(), environment=environment())
    page = write_bundle(report, documents, session) if report else None
    if as_json:
        terminal.print_json(documents[0] if len(documents) == 1 else results_document(documents, session))
    else:
        for document in documents:
            terminal.show(console.profile(document, listings=hot is not None))
        terminal.print_lines(*cycles.side_by_side(documents))
        if page:
            terminal.print_lines(f"Report: {page}")
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        terminal.say(outcome.explain(), style="red")
    if failed:
        raise typer.Exit(Category.CHECK.value)


def _modelled_way(way: Way) -> Callable[..., Document]:
    """What models the cycles of a run."""
    if way.form != DEFAULT_FORM:
        return _not_modelled
    return _modelled if way.runtime == DEFAULT_RUNTIME else _modelled_tflm


def _not_modelled(*_: object) -> Document:
    return {"modelled": None, "modelled_note": f"no modelled cycles: they are of the form {DEFAULT_FORM}"}


def _modelled(card: Card, board: str, options: Options, bench: Workbench, hot: int | None, tell: Progress) -> Document:
    """Modelled cycles for the run's document; a note instead if they cannot be modelled."""
    from harness.cycles.document import prediction_document

    try:
        prediction = _predict(card, board, options, bench, tell)
    except (ProfileError, ToolError) as error:
        return {"modelled": None, "modelled_note": f"no modelled cycles: {error.message}"}
    return {"modelled": prediction_document(prediction, hot=_blocks(hot)), "modelled_note": None}


def _modelled_tflm(
    card: Card, board: str, options: Options, bench: Workbench, hot: int | None, tell: Progress
) -> Document:
    """The same of TFLM's own code, for a model that runs without an NPU."""
    from harness.cycles.programs.tflm import tflm_document
    from harness.validate.profile import profile_card_by_tflm

    try:
        profiled, graph = profile_card_by_tflm(
            card, vectors=options.vectors, npu=options.npu, program=options.tflm_runner, bench=bench, progress=tell
        )
    except (ProfileError, ToolError) as error:
        return {"modelled": None, "modelled_note": f"no modelled cycles: {error.message}"}
    return {"modelled": tflm_document(profiled, graph, hot=_blocks(hot)), "modelled_note": None}


def _blocks(hot: int | None) -> int:
    """How many hot blocks a document has."""
    return 3 if hot is None else hot
