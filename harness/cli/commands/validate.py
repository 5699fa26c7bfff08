"""The command `tinyhil validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import (
    BoardsOption,
    CompressOption,
    FarmOption,
    FormOption,
    HistoryOption,
    JsonOption,
    LinkOption,
    MaxArenaOption,
    MaxFlashOption,
    NpuOption,
    OptimizeOption,
    OracleOption,
    PlacementOption,
    ProbeOption,
    ReportOption,
    RuntimeOption,
    TargetsArgument,
    TflmRunnerOption,
    VectorsOption,
    board_source,
    command_line,
    make_cards,
    make_options,
    open_history,
)
from harness.compiler.goals import parse_overrides
from harness.errors import Category, TinyhilError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.boards.source import BoardSource
    from harness.report.document import Document
    from harness.runtimes.forms import Way
    from harness.validate.card import Card
    from harness.validate.options import Options


def validate(
    targets: TargetsArgument,
    board: BoardsOption = None,
    vectors: VectorsOption = None,
    oracle: OracleOption = None,
    link: LinkOption = "auto",
    placement: PlacementOption = None,
    probe: ProbeOption = None,
    farm: FarmOption = None,
    report: ReportOption = None,
    opinions: Annotated[bool, typer.Option(help="Report LiteRT beside the oracle.")] = True,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    runtime: RuntimeOption = None,
    form: FormOption = None,
    tflm_runner: TflmRunnerOption = None,
    npu: NpuOption = None,
    compress: CompressOption = None,
    history: HistoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run models on boards and compare outputs and every layer with the reference.

    With --history the results are kept: `tinyhil history`, `tinyhil compare`.
    """
    from harness.report import console
    from harness.report.bundle import Invocation, check_folder, results_document, write_bundle
    from harness.report.environment import environment
    from harness.report.tool_versions import tool_versions
    from harness.validate.options import choose_boards

    cards = make_cards(targets)
    names = choose_boards(board or [DEFAULT_BOARD])
    overrides = parse_overrides(optimize, max_arena, max_flash)
    options = make_options(
        link, vectors, oracle, opinions, probe, placement, overrides, runtime, tflm_runner, npu, compress, form
    )
    if report:
        check_folder(report)
    with open_history(history, needed=False, create=history is not None):
        pass  # refused before a long run
    with board_source(farm) as source:
        documents, code = _run_all(cards, names, options, source, as_json)
    session = Invocation(command_line(), tool_versions(), environment=environment())
    page = write_bundle(report, documents, session) if report else None
    if history:
        _keep(history, report, results_document(documents, session))
    if as_json:
        terminal.print_json(results_document(documents, session))
    else:
        terminal.show(console.validation(documents))
        if page:
            terminal.print_lines(f"Report: {page}")
    raise typer.Exit(code)


def _keep(history: Path, report: Path | None, document: Document) -> None:
    """Adds the results to the history: those of the bundle where one was written, so that it is known when imported."""
    with open_history(history, needed=True, create=True) as store:
        assert store is not None
        added = store.add_bundle(report) if report else store.add(document, source="validate")
        terminal.say(f"Kept in {store.path}: {', '.join(f'run {run}' for run in added.runs[:8])}")


def _run_all(
    cards: Sequence[Card], boards: Sequence[str], options: Options, source: BoardSource, quiet: bool
) -> tuple[list[Document], int]:
    """(document for every card on every board, exit code: the worst of all runs).

    Raises:
        TinyhilError: there is only one run, and it could not be made.
    """
    from harness.report.document import error_document, run_document
    from harness.validate.options import in_way, mode_of, npu_of, way_words
    from harness.validate.workbench import Workbench

    bench = Workbench(boards=source)
    documents: list[Document] = []
    code = 0
    for card in cards:
        for number, (board, way) in enumerate(_places(card, boards, options)):
            title = ", ".join((f"{card.name} on {board}", *way_words(way)))
            with terminal.progress(quiet, title) as tell:
                try:
                    outcome = bench.validate(card, board, in_way(options, way), tell)
                    documents.append(run_document(outcome))
                    code = max(code, 0 if outcome.passed else Category.CHECK.value)
                except TinyhilError as error:
                    if len(cards) == 1 and len(_places(card, boards, options)) == 1:
                        raise
                    file, mode = str(card.path or card.model), mode_of(card, options)
                    npu = npu_of(card, options)
                    documents.append(error_document(card.name, board, error, file, mode=mode, way=way, npu=npu))
                    code = max(code, error.category.value)
                    if error.category is Category.INPUT and number == 0:
                        break  # the error is the same on the other boards
    return documents, code


def _places(card: Card, boards: Sequence[str], options: Options) -> list[tuple[str, Way]]:
    """(board, way) of every run of a card."""
    from harness.validate.options import ways_of

    return [(board, way) for board in boards for way in ways_of(card, options, board)]
