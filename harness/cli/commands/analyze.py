"""The command `tinyhil analyze`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import BoardOption, JsonOption, MaxArenaOption, MaxFlashOption, ModelArgument, OptimizeOption
from harness.compiler.goals import parse_overrides
from harness.errors import DoesNotFitError, ToolError
from harness.version import DEFAULT_BOARD


def analyze(
    model: ModelArgument,
    board: BoardOption = DEFAULT_BOARD,
    build: Annotated[bool, typer.Option(help="Compile for the exact flash size.")] = True,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show operator coverage, kernels, arena map, MACs, and whether the model fits the board, without running it."""
    from harness.boards import find_board
    from harness.build import build_image
    from harness.build.fit import fit
    from harness.build.fit_advice import advice
    from harness.cycles.targets import target_of
    from harness.report import console
    from harness.report.document import analysis_document
    from harness.validate.workbench import Workbench

    target = find_board(board)
    bench = Workbench()
    graph = bench.graph(model)
    goals = parse_overrides(optimize, max_arena, max_flash).goals
    with terminal.progress(as_json) as tell:
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
    document = analysis_document(graph, package, str(model), image, note, target.name, uses, tried)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(console.analysis(document))
