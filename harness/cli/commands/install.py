"""The command `tinyhil install`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import (
    BoardOption,
    FarmOption,
    JsonOption,
    LinkOption,
    OptimizeOption,
    PlacementOption,
    ProbeOption,
    VectorsOption,
    board_source,
    make_options,
)
from harness.compiler.goals import parse_bytes, parse_overrides
from harness.errors import Category, OptionError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.runtimes.slot import SlotSizes


def install(
    file: Annotated[
        Path, typer.Argument(metavar="NAME.bin", help="Of tinyhil generate --relocatable.", show_default=False)
    ],
    board: BoardOption = DEFAULT_BOARD,
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="FILE", help="The model that it was made of, or its card. Default: beside it."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE", help="Weights that are apart. Default: NAME_weights.bin beside it."),
    ] = None,
    vectors: VectorsOption = None,
    slot: Annotated[
        str | None,
        typer.Option("--slot", metavar="BYTES", help="RAM of the firmware for files. Default: what the board has."),
    ] = None,
    arena: Annotated[
        str | None,
        typer.Option("--arena", metavar="BYTES", help="RAM of the firmware for arenas; with --slot."),
    ] = None,
    link: LinkOption = "auto",
    placement: PlacementOption = None,
    probe: ProbeOption = None,
    farm: FarmOption = None,
    optimize: OptimizeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a relocatable model to a board whose firmware runs, install it there, and validate it.

    The firmware has a slot in RAM and no model of its own. It is loaded where it does not run yet, and stays: the next
    file is sent to it as it is. On a virtual board it is started.
    """
    from harness.report import console
    from harness.report.document import run_document
    from harness.validate.installing import find_card, install_and_validate, load_installable
    from harness.validate.workbench import Workbench

    installable = load_installable(file, weights, _sizes(slot, arena))
    card = find_card(installable, model)
    overrides = parse_overrides(optimize, None, None)
    options = make_options(link, vectors, None, False, probe, placement, overrides)
    with board_source(farm) as source:
        bench = Workbench(boards=source)
        with terminal.progress(as_json, f"{installable.model.name} on {board}") as tell:
            outcome = install_and_validate(bench, installable, card, board, options, tell)
    document = run_document(outcome)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(console.validation([document]))
    raise typer.Exit(0 if outcome.passed else Category.CHECK.value)


def _sizes(slot: str | None, arena: str | None) -> SlotSizes | None:
    from harness.runtimes.slot import SlotSizes

    if (slot is None) != (arena is None):
        raise OptionError("--slot and --arena go together", hint="give both, or none for what the board has room for")
    if slot is None or arena is None:
        return None
    return SlotSizes(parse_bytes(slot, "slot"), parse_bytes(arena, "arena"))
