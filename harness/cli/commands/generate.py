"""The command `tinyhil generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, MaxArenaOption, MaxFlashOption, ModelArgument, OptimizeOption
from harness.compiler.goals import parse_overrides
from harness.errors import OptionError
from harness.version import DEFAULT_CORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compiler.plan import Plan


def generate(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the C package.")],
    core: Annotated[
        str | None,
        typer.Option(
            "--core",
            metavar="CORE",
            help=f"cortex-m0plus, -m3, -m4, -m7, -m33, -m55, or host. Default: {DEFAULT_CORE}, or the board's.",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", metavar="BOARD", help="Choose kernels for this board's core and flash."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Prefix of all symbols. Default: the file's name.")
    ] = None,
    optimize: OptimizeOption = None,
    max_arena: MaxArenaOption = None,
    max_flash: MaxFlashOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the model as a package of C11 and assembly, with CMakeLists.txt and NAME.mk, for your own firmware."""
    from harness.boards import find_board
    from harness.compiler.emit.package import write_package
    from harness.cycles.targets import target_of
    from harness.validate.workbench import Workbench

    if core is not None and board is not None:
        raise OptionError("--core and --board exclude each other", hint="a board has its core: give only --board")
    bench = Workbench()
    target = target_of(find_board(board)) if board is not None else core or DEFAULT_CORE
    if core is None and board is None:
        terminal.say(f"no --core or --board given: made for {DEFAULT_CORE}, and for no core with less")
    graph = bench.graph(model)
    goals = parse_overrides(optimize, max_arena, max_flash).goals
    with terminal.progress(as_json) as tell:
        tell(f"compile {graph.name}", 0, 0)
        package = bench.package(graph, target, name, goals)
    paths = write_package(package, output)
    if as_json:
        terminal.print_json(_document(package.plan, paths))
        return
    lines = [f"{path}  {path.stat().st_size:,} B" for path in paths]
    terminal.print_lines(*lines, _summary(package.plan))


def _document(plan: Plan, paths: Sequence[Path]) -> dict[str, Any]:
    from harness.compiler.emit.manifest import goals_document

    return {
        "kind": "package",
        "name": plan.name,
        "core": plan.core,
        "goals": goals_document(plan.goals),
        "files": [str(path) for path in paths],
        "arena_size": plan.arena_size,
        "arena_align": plan.arena_align,
    }


def _summary(plan: Plan) -> str:
    return (
        f"{len(plan.layers)} layers for {plan.core}, optimized for {plan.goals.optimize}; "
        f"the caller provides an arena of {plan.arena_size:,} B"
    )
