"""The command `tinyhil`: registers its commands, and turns every failure into a message and an exit code.

Results go to standard output, progress and errors to standard error. Heavy imports happen inside the commands, so that
`tinyhil --help` is quick.
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated, NoReturn

import typer

from harness.cli import terminal
from harness.cli.commands.analyze import analyze
from harness.cli.commands.boards import boards
from harness.cli.commands.calibrate import calibrate
from harness.cli.commands.compare import compare
from harness.cli.commands.compress import compress
from harness.cli.commands.conformance import conformance
from harness.cli.commands.convert import convert
from harness.cli.commands.docs import docs
from harness.cli.commands.doctor import doctor
from harness.cli.commands.energy import energy
from harness.cli.commands.farm import farm
from harness.cli.commands.fit import fit
from harness.cli.commands.generate import generate
from harness.cli.commands.history import history
from harness.cli.commands.import_bundles import import_bundles
from harness.cli.commands.inspect import inspect
from harness.cli.commands.install import install
from harness.cli.commands.mlperf import mlperf
from harness.cli.commands.nightly import nightly
from harness.cli.commands.npu import npu
from harness.cli.commands.profile import profile
from harness.cli.commands.quantize import quantize
from harness.cli.commands.recipe import recipe
from harness.cli.commands.search import search
from harness.cli.commands.tflm import tflm
from harness.cli.commands.validate import validate
from harness.cli.help import Command, Commands
from harness.errors import OptionError, OutputError, TinyhilError
from harness.version import __version__

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
    rich_markup_mode=None,  # rich takes as long to import as all the rest
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


for _command in (
    *(doctor, boards, analyze, fit, energy, search, recipe, convert, quantize, compress, generate, inspect, validate),
    *(install, conformance, profile, history, compare, nightly, npu, mlperf, calibrate, tflm, docs),
):
    app.command(cls=Command)(_command)
app.command("import", cls=Command)(import_bundles)
app.add_typer(farm, name="farm", no_args_is_help=True)


def _fail(error: TinyhilError) -> NoReturn:
    if "--json" in sys.argv and not isinstance(error, OutputError):
        terminal.print_json({"kind": "error", "error": error.as_dict(), "transcript": error.transcript})
    terminal.say_error(error)
    sys.exit(error.category.value)


def _usage_in_json(ended: SystemExit) -> None:
    """With --json, prints an error of the command line as a document; it is on standard error already."""
    cause = ended.__context__
    message = getattr(cause, "format_message", None)  # exceptions of the command line's parser have one
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
