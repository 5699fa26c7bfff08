"""The command `tinyhil recipe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import (
    FarmOption,
    HistoryOption,
    JsonOption,
    board_source,
    command_line,
    make_cards,
    open_history,
)
from harness.cli.outputs import write_output
from harness.errors import Category

if TYPE_CHECKING:
    from harness.recipes.file import RecipeFile
    from harness.report.document import Document


def recipe(
    file: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="What to do.", show_default=False)],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="For the model, its report, and all steps.")
    ],
    validate: Annotated[bool, typer.Option(help="Validate the last network on the recipe's board.")] = True,
    farm: FarmOption = None,
    history: HistoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a network and make it smaller, step by step, with its costs on the board after each step.

    A run that was stopped goes on where it was, and ends as if it had not been.
    """
    from harness.recipes.deliver import deliver
    from harness.recipes.file import read_recipe
    from harness.recipes.run import run_recipe
    from harness.report.html.recipe import render
    from harness.report.recipe import recipe_document

    read = read_recipe(file)
    with open_history(history, needed=False, create=history is not None):
        pass  # refused before a long run
    with terminal.progress(as_json, f"recipe {read.name}") as tell:
        run = run_recipe(read, output / "steps", base=file.parent, progress=tell)
    card = deliver(run, output)
    document = recipe_document(run)
    checked = _validated(card, read, farm, history, output, as_json) if validate else None
    if checked is not None:
        document["validation"] = checked
    write_output(output / "recipe.json", json.dumps(document, indent=1) + "\n")
    write_output(output / "recipe.html", render(document))
    _show(document, card, output, as_json)
    if checked is not None and not checked["verdict"]["passed"]:
        raise typer.Exit(Category.CHECK.value)


def _validated(
    card: Path, recipe: RecipeFile, farm: str | None, history: Path | None, output: Path, quiet: bool
) -> Document:
    """The run of the last network on the board, in a bundle, and in the history where one is named."""
    from harness.report.bundle import Invocation, write_bundle
    from harness.report.document import run_document
    from harness.report.environment import environment
    from harness.report.tool_versions import tool_versions
    from harness.validate.options import Options
    from harness.validate.workbench import Workbench

    with board_source(farm) as source, terminal.progress(quiet, f"{recipe.name} on {recipe.board}") as tell:
        outcome = Workbench(boards=source).validate(make_cards([card])[0], recipe.board, Options(), tell)
    document = run_document(outcome)
    session = Invocation(command_line(), tool_versions(), environment=environment())
    write_bundle(output / "validation", [document], session)
    if history:
        with open_history(history, needed=True, create=True) as store:
            assert store is not None
            store.add_bundle(output / "validation")
    return document


def _show(document: Document, card: Path, output: Path, as_json: bool) -> None:
    from harness.report import console
    from harness.report import recipe as tables

    if as_json:
        terminal.print_json(document)
        return
    terminal.show_table(tables.steps(document))
    terminal.print_text(*tables.summary(document))
    if "validation" in document:
        terminal.show(console.validation([document["validation"]]))
    terminal.print_lines(f"Model: {card.with_name(card.name.replace('.hil.yaml', '.tflite'))}, card: {card}")
    terminal.print_lines(f"Report: {output / 'recipe.html'}")
