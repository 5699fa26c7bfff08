"""The command `tinyhil`: thin; what it does lives in the modules it calls.

Results go to standard output, progress and errors to standard error. Heavy imports happen inside the commands, so that
`tinyhil --help` is quick.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli import terminal
from harness.cli.boards import ProbeOption, boards, doctor
from harness.cli.calibrate import calibrate
from harness.cli.help import Command, Commands
from harness.cli.mlperf import mlperf
from harness.cli.options import (
    BoardOption,
    BoardsOption,
    JsonOption,
    LinkOption,
    MaxArenaOption,
    MaxFlashOption,
    ModelArgument,
    OptimizeOption,
    OracleOption,
    PlacementOption,
    ReportOption,
    TargetsArgument,
    VectorsOption,
    make_cards,
    make_options,
)
from harness.cli.profile import profile
from harness.compiler.goals import parse_overrides
from harness.errors import Category, OptionError, OutputError, TinyhilError, ToolError
from harness.version import DEFAULT_BOARD, __version__

if TYPE_CHECKING:
    from rich.console import RenderableType

    from harness.report.document import Document

EXIT_UNEXPECTED = 70

_EPILOG = (
    "Exit codes: 0 all is well, 1 a check failed, 2 bad input, 3 a tool is missing, 4 infrastructure fault, "
    "70 a mistake in tinyhil, 130 interrupted. NO_COLOR and FORCE_COLOR are respected."
)

app = typer.Typer(
    name="tinyhil",
    cls=Commands,
    help="Validate trained neural networks on real and emulated microcontrollers.",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

def _version(wanted: bool) -> None:
    if wanted:
        terminal.print_lines(f"tinyhil {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of unexpected errors.")] = False,
) -> None:
    pass


app.command(cls=Command)(doctor)
app.command(cls=Command)(boards)


@app.command(cls=Command)
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
    package = bench.package(graph, target_of(target), goals=parse_overrides(optimize, max_arena, max_flash).goals)
    image, note = None, "flash: not compiled (--no-build)"
    if build:
        try:
            with terminal.progress(as_json) as tell:
                image, note = build_image([package], target, progress=tell), ""
        except ToolError as error:
            note = f"flash of the code is unknown: {error.message}; {error.hint}"
    document = analysis_document(graph, package.plan, str(model), image, note, target.name)
    _show(document, as_json, console.analysis)


@app.command(cls=Command)
def generate(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the C package.")],
    core: Annotated[
        str | None,
        typer.Option(
            "--core",
            metavar="CORE",
            help="cortex-m0plus, -m3, -m4, -m7, -m33, -m55, or host. Default: cortex-m7, or the board's.",
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
    """Write the model as a standalone C11 package for your own firmware."""
    from harness.boards import find_board
    from harness.compiler.emit.manifest import goals_document
    from harness.compiler.emit.package import write_package
    from harness.cycles.targets import target_of
    from harness.validate.workbench import Workbench

    if core is not None and board is not None:
        raise OptionError("--core and --board exclude each other", hint="a board has its core: give only --board")
    bench = Workbench()
    target = target_of(find_board(board)) if board is not None else core or "cortex-m7"
    graph = bench.graph(model)
    package = bench.package(graph, target, name, parse_overrides(optimize, max_arena, max_flash).goals)
    paths = write_package(package, output)
    plan = package.plan
    if as_json:
        terminal.print_json(
            {
                "kind": "package",
                "name": plan.name,
                "core": plan.core,
                "goals": goals_document(plan.goals),
                "files": [str(path) for path in paths],
                "arena_size": plan.arena_size,
                "arena_align": plan.arena_align,
            }
        )
        return
    lines = [f"{path}  {path.stat().st_size:,} B" for path in paths]
    lines.append(
        f"{len(plan.layers)} layers for {plan.core}, optimized for {plan.goals.optimize}; "
        f"the caller provides an arena of {plan.arena_size:,} B"
    )
    terminal.print_lines(*lines)


@app.command(cls=Command)
def validate(
    targets: TargetsArgument,
    board: BoardsOption = None,
    vectors: VectorsOption = None,
    oracle: OracleOption = None,
    link: LinkOption = "uart",
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
    from harness.report.document import error_document, run_document
    from harness.validate.workbench import Workbench, choose_boards

    cards = make_cards(targets)
    names = choose_boards(board or [DEFAULT_BOARD])
    overrides = parse_overrides(optimize, max_arena, max_flash)
    options = make_options(link, vectors, oracle, opinions, probe, placement, overrides)
    bench = Workbench()
    documents: list[Document] = []
    code = 0
    if report:
        check_folder(report)
    for card in cards:
        for number, name in enumerate(names):
            with terminal.progress(as_json, f"{card.name} on {name}") as tell:
                try:
                    outcome = bench.validate(card, name, options, tell)
                    documents.append(run_document(outcome))
                    code = max(code, 0 if outcome.passed else Category.CHECK.value)
                except TinyhilError as error:
                    if len(cards) * len(names) == 1:
                        raise
                    documents.append(error_document(card.name, name, error, str(card.path or card.model)))
                    code = max(code, error.category.value)
                    if error.category is Category.INPUT and number == 0:
                        break  # the other boards would say the same
    from harness.report.tool_versions import tool_versions

    session = Invocation(_command_line(), tool_versions())
    page = write_bundle(report, documents, session) if report else None
    if as_json:
        terminal.print_json(results_document(documents, session))
    else:
        terminal.show(console.validation(documents))
        if page:
            terminal.print_lines(f"Report: {page}")
    raise typer.Exit(code)


app.command(cls=Command)(profile)
app.command(cls=Command)(mlperf)
app.command(cls=Command)(calibrate)


# --- shared ----------------------------------------------------------------------------------------------------------


def _show(document: Document, as_json: bool, render: Callable[[Document], Iterable[RenderableType]]) -> None:
    if as_json:
        terminal.print_json(document)
    else:
        terminal.show(render(document))


def _command_line() -> list[str]:
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def _fail(error: TinyhilError) -> NoReturn:
    if "--json" in sys.argv and not isinstance(error, OutputError):
        terminal.print_json({"kind": "error", "error": error.as_dict(), "transcript": error.transcript})
    terminal.say_error(error)
    sys.exit(error.category.value)


def _usage_in_json(ended: SystemExit) -> None:
    """A command line that cannot be understood is told on standard error already; machines read standard output."""
    cause = ended.__context__
    message = getattr(cause, "format_message", None)  # what the command line's parser raised has one
    if "--json" in sys.argv and message is not None:
        error = OptionError(message(), hint="`tinyhil --help` and `tinyhil COMMAND --help` list all options")
        terminal.print_json({"kind": "error", "error": error.as_dict(), "transcript": ""})


def main() -> None:
    """Entry point of the command: turns every failure into a message and an exit code."""
    terminal.prepare()
    try:
        try:
            app()
        except SystemExit as ended:
            _usage_in_json(ended)
            raise
    except TinyhilError as error:
        _fail(error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" ({error.filename})" if error.filename else ""
            _fail(OutputError(f"{error.strerror}{where}", hint="free some space, or write elsewhere"))
        if "--debug" in sys.argv:
            raise
        kind = type(error).__name__
        terminal.say(
            f"tinyhil: unexpected {kind}: {error}\nThis is a mistake in tinyhil. Please report this with the command "
            f"and the model; `tinyhil --debug ...` shows where it happened."
        )
        sys.exit(EXIT_UNEXPECTED)

