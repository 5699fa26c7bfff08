"""The command `tinyhil analyze`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.options import BoardOption, JsonOption, MaxArenaOption, MaxFlashOption, ModelArgument, OptimizeOption
from harness.compiler.goals import parse_overrides
from harness.errors import ToolError
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
    """Show operator coverage, kernels, arena map, MACs and flash without running the model."""
    from harness.boards import find_board
    from harness.build import build_image
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
    image, note = None, "flash: not compiled (--no-build)"
    if build:
        try:
            with terminal.progress(as_json) as tell:
                image, note = build_image([package], target, progress=tell), ""
        except ToolError as error:
            note = f"flash of the code is unknown: {error.message}; {error.hint}"
    document = analysis_document(graph, package, str(model), image, note, target.name)
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(console.analysis(document))
