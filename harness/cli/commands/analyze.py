"""The command `tinyhil analyze`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import BoardOption, CompressOption, JsonOption, MaxArenaOption, MaxFlashOption, OptimizeOption
from harness.compiler.goals import Overrides, parse_overrides
from harness.errors import DoesNotFitError, OptionError, ToolError
from harness.version import DEFAULT_BOARD


def analyze(
    model: Annotated[
        Path | None, typer.Argument(metavar="[MODEL]", help="A .tflite or .onnx file.", show_default=False)
    ] = None,
    board: BoardOption = DEFAULT_BOARD,
    build: Annotated[bool, typer.Option(help="Compile for the exact flash size.")] = True,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    compress: CompressOption = None,
    ops: Annotated[
        bool, typer.Option("--ops", help="Instead: all operators that are compiled, by element types and core.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="With --ops: print it as a page of Markdown.")] = False,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Instead: the curve of arena against time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show operator coverage, kernels, arena map, MACs, and whether the model fits the board, without running it."""
    if markdown and not ops:
        raise OptionError("--markdown is for --ops", hint="tinyhil analyze --ops --markdown")
    if ops:
        if model is not None:
            raise OptionError("--ops takes no model", hint="leave MODEL out, or leave --ops out")
        _operators(as_json, markdown)
        return
    if model is None:
        raise OptionError("no MODEL was named", hint="tinyhil analyze MODEL.tflite, or tinyhil analyze --ops")
    if pareto:
        if optimize or max_arena or max_flash or compress:
            raise OptionError("--pareto shows what every goal can reach", hint="leave the goals out, or --pareto")
        _pareto(model, board, as_json)
        return
    _model(model, board, build, parse_overrides(optimize, max_arena, max_flash), compress, as_json)


def _operators(as_json: bool, markdown: bool) -> None:
    from harness.kernels.support import support_matrix
    from harness.report import operators

    matrix = support_matrix()
    if as_json:
        terminal.print_json(operators.document(matrix))
    elif markdown:
        terminal.print_lines(operators.page(matrix).rstrip("\n"))
    else:
        terminal.show_table(operators.table(matrix))


def _pareto(model: Path, board: str, as_json: bool) -> None:
    from harness.boards import find_board
    from harness.compiler.compile import trade_offs
    from harness.cycles.targets import target_of
    from harness.report import pareto
    from harness.validate.workbench import Workbench

    target = find_board(board)
    with terminal.progress(as_json) as tell:
        graph = Workbench().graph(model)
        tell(f"compile {graph.name}", 0, 0)
        found = trade_offs(graph, target_of(target))
    document = pareto.document(graph, str(model), target.name, found)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show_table(pareto.table(document))


def _model(
    model: Path, board: str, build: bool, overrides: Overrides, compress: str | None, as_json: bool
) -> None:
    from harness.boards import find_board
    from harness.build import build_image
    from harness.build.fit import fit
    from harness.build.fit_advice import advice
    from harness.cycles.targets import target_of
    from harness.report import console
    from harness.report.document import analysis_document
    from harness.validate.card import card_for_model, parse_compress
    from harness.validate.compressed import goals_of
    from harness.validate.options import compressing
    from harness.validate.workbench import Workbench

    target = find_board(board)
    bench = Workbench()
    keys = None if compress is None else parse_compress(compress, Path.cwd())
    card = compressing(card_for_model(model), keys)
    goals = goals_of(card, overrides)
    with terminal.progress(as_json) as tell:
        compressed = bench.compressed(card, target_of(target), goals, tell)
        graph = bench.graph(model) if compressed is None else compressed.graph
        tell(f"compile {graph.name}", 0, 0)
        package = bench.package(graph, target_of(target), goals=goals)
    uses = fit([package], target, None)
    over = {use.region.name: use.excess for use in uses if use.excess}
    image, note = None, "flash: not compiled (--no-build)"
    if build:
        try:
            with terminal.progress(as_json) as tell:
                image, note = build_image([package], target, progress=tell), ""
        except ToolError as error:
            note = f"flash of the code is unknown: {error.message}; {error.hint}"
        except DoesNotFitError as error:
            note = error.message if over else f"{error.message}; try: {error.hint}"
    tried = advice([package], target, None, over) if over else ""
    document = analysis_document(graph, package, str(model), image, note, target.name, uses, tried, compressed)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(console.analysis(document))
