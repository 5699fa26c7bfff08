"""The command `tinyhil validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import (
    BoardsOption,
    JsonOption,
    LinkOption,
    MaxArenaOption,
    MaxFlashOption,
    OptimizeOption,
    OracleOption,
    PlacementOption,
    ProbeOption,
    ReportOption,
    TargetsArgument,
    VectorsOption,
    command_line,
    make_cards,
    make_options,
)
from harness.compiler.goals import parse_overrides
from harness.errors import Category, TinyhilError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.document import Document
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
    report: ReportOption = None,
    opinions: Annotated[bool, typer.Option(help="Report LiteRT beside the oracle.")] = True,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run models on boards and compare outputs and every layer with the reference."""
    from harness.report import console
    from harness.report.bundle import Invocation, check_folder, results_document, write_bundle
    from harness.report.environment import environment
    from harness.report.tool_versions import tool_versions
    from harness.validate.options import choose_boards

    cards = make_cards(targets)
    names = choose_boards(board or [DEFAULT_BOARD])
    overrides = parse_overrides(optimize, max_arena, max_flash)
    options = make_options(link, vectors, oracle, opinions, probe, placement, overrides)
    if report:
        check_folder(report)
    documents, code = _run_all(cards, names, options, as_json)
    session = Invocation(command_line(), tool_versions(), environment=environment())
    page = write_bundle(report, documents, session) if report else None
    if as_json:
        terminal.print_json(results_document(documents, session))
    else:
        terminal.show(console.validation(documents))
        if page:
            terminal.print_lines(f"Report: {page}")
    raise typer.Exit(code)


def _run_all(
    cards: Sequence[Card], boards: Sequence[str], options: Options, quiet: bool
) -> tuple[list[Document], int]:
    """(document for every card on every board, exit code: the worst of all runs).

    Raises:
        TinyhilError: there is only one run, and it could not be made.
    """
    from harness.report.document import error_document, run_document
    from harness.validate.options import mode_of
    from harness.validate.workbench import Workbench

    bench = Workbench()
    documents: list[Document] = []
    code = 0
    for card in cards:
        for number, board in enumerate(boards):
            with terminal.progress(quiet, f"{card.name} on {board}") as tell:
                try:
                    outcome = bench.validate(card, board, options, tell)
                    documents.append(run_document(outcome))
                    code = max(code, 0 if outcome.passed else Category.CHECK.value)
                except TinyhilError as error:
                    if len(cards) * len(boards) == 1:
                        raise
                    file, mode = str(card.path or card.model), mode_of(card, options)
                    lost = error_document(card.name, board, error, file, mode=mode, runtime=options.runtime)
                    documents.append(lost)
                    code = max(code, error.category.value)
                    if error.category is Category.INPUT and number == 0:
                        break  # the error is the same on the other boards
    return documents, code
