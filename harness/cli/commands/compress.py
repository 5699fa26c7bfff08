"""The command `tinyhil compress`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, MaxFlashOption, TargetArgument
from harness.cli.outputs import write_output
from harness.errors import OptionError
from harness.version import DEFAULT_CORE

if TYPE_CHECKING:
    from harness.build.progress import Progress
    from harness.compression.network import CompressedModel
    from harness.validate.card import Card
    from harness.validate.compressed import FromOriginal

_LevelOption: TypeAlias = Annotated[
    str, typer.Option("--compress", metavar="LEVEL", help="lossless, low, medium, high or int4: tinyhil docs compress.")
]
_OutputOption: TypeAlias = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="The .tflite file to write.")
]
_DataOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="FILE", help="Inputs to find weights on, .npz or .wav. Default: the card's, or none."
    ),
]
_BoardOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--board", "-b", metavar="BOARD", help=f"Where --max-flash is kept. Default: a {DEFAULT_CORE}."),
]
_DecodeOption: TypeAlias = Annotated[
    bool, typer.Option("--tflm-decode", help="Store indices that TFLM's operator TFLM_DECODE looks up.")
]


def compress(
    target: TargetArgument,
    output: _OutputOption,
    level: _LevelOption = "medium",
    data: _DataOption = None,
    max_flash: MaxFlashOption = None,
    board: _BoardOption = None,
    tflm_decode: _DecodeOption = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model whose weights take fewer bits, with its error against the original."""
    from harness.report.compression import compressed_document, table
    from harness.report.document import finite

    if output.suffix.lower() != ".tflite":
        raise OptionError(f"{output} is no name of a .tflite", hint=f"-o {output.stem or 'model'}.tflite")
    if output.exists() and not force:
        raise OptionError(f"{output} is there already", hint="name another file, or give --force")
    if board is not None and max_flash is None:
        raise OptionError("--board says where --max-flash is kept", hint="give --max-flash BYTES, too")
    card = _card(target, level, data)
    with terminal.progress(as_json, f"compress {card.name}") as tell:
        made, error = _compressed(card, max_flash, board, tell)
    content = _file(made, tflm_decode)
    write_output(output, content)
    document = compressed_document(made, error)
    if as_json:
        written = {"file": str(output), "bytes": len(content)}
        terminal.print_json(finite({"kind": "compression", "name": card.name, **document, "output": written}))
        return
    terminal.show_table(table(document))
    terminal.print_lines(f"{output}  {len(content):,} B (the original {len(made.original.model):,} B)")


def _card(target: Path, level: str, data: Path | None) -> Card:
    from harness.validate.card import card_of, parse_compress
    from harness.validate.options import compressing

    text = level if data is None else f"{level},data={data}"
    return compressing(card_of(target), parse_compress(text, Path.cwd()))


def _compressed(
    card: Card, max_flash: str | None, board: str | None, tell: Progress
) -> tuple[CompressedModel, FromOriginal | None]:
    """The card's model compressed, and how far it is from what it was."""
    from harness.boards.registry import find_board
    from harness.compiler.goals import parse_overrides
    from harness.cycles.targets import target_of
    from harness.hardware.target import Target
    from harness.validate.compressed import goals_of, judged
    from harness.validate.workbench import Workbench

    goals = goals_of(card, parse_overrides(None, None, max_flash))
    place = Target(DEFAULT_CORE) if board is None else target_of(find_board(board))
    bench = Workbench()
    made = bench.compressed(card, place, goals, tell)
    assert made is not None, "the card has a compression"
    if goals.max_flash is not None:
        tell("compile", 0, 0)
        bench.package(made.graph, place, goals=goals)  # tells what is missing where no compression keeps the budget
    return made, judged(made, card, tell)


def _file(made: CompressedModel, decode: bool) -> bytes:
    """The compressed model's file; as the original one where nothing has changed."""
    from harness.frontends.tflite.compressing import with_decode, with_narrow
    from harness.frontends.tflite.origin import ORIGIN

    graph = made.graph
    weights = {graph.nodes[layer.index].inputs[1] for layer in made.layers}
    note = "; ".join([*graph.notes, made.note])
    metadata = {ORIGIN: note.encode("utf-8", "replace")}
    if decode:
        return with_decode(graph, weights, metadata)
    return graph.model if graph is made.original else with_narrow(graph, weights, metadata)
