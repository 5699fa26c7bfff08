"""Writing to standard output and standard error.

Either may be closed, full, a pipe whose reader has ended, or without all of Unicode. Only a failure to write results to
standard output is an error; a reader that closes the pipe, as `head` does, is none.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from harness.errors import OutputError, TinyhilError
from harness.report.plain import one_line, plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from harness.build.progress import Progress
    from harness.report.document import Document
    from harness.report.table import ReportTable

EXIT_INTERRUPTED = 130


def prepare() -> None:
    """Makes both streams usable; called once, before anything is written."""
    if sys.stdout is None:  # closed by the parent process
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


# --- results ---------------------------------------------------------------------------------------------------------


def print_json(document: Document) -> None:
    """Prints a JSON document on standard output."""
    with _results():
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")


def print_lines(*lines: str) -> None:
    """Prints lines on standard output."""
    with _results():
        for line in lines:
            print(plain(line))


def print_text(*texts: str) -> None:
    """Prints sentences on standard output, broken between words where a line is too long."""
    from harness.report.wrapping import wrap

    width = columns(sys.stdout)
    print_lines(*(line for text in texts for line in (wrap(text, width, "  ") if width else [text])))


def columns(stream: TextIO) -> int | None:
    """How many columns lines may have: what COLUMNS says, else the terminal's; None for a file or a pipe."""
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def show(parts: Iterable[RenderableType]) -> None:
    """Prints tables and texts on standard output."""
    from harness.report import console

    content = list(parts)
    with _results():
        console.show(_console(sys.stdout), content, columns(sys.stdout))


def show_table(content: ReportTable) -> None:
    """Prints a table on standard output."""
    from harness.report.console import table

    show([table(content)])


def show_rows(
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    right: frozenset[str] = frozenset(),
    prose: frozenset[str] = frozenset(),
    drop: tuple[str, ...] = (),
) -> None:
    """Prints a table without a title; see ReportTable."""
    from harness.report.table import ReportTable

    show_table(ReportTable("", columns, tuple(rows), right, prose=prose, drop=drop))


@contextmanager
def _results() -> Iterator[None]:
    """Context of all writing to standard output.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)  # the reader has ended, as with `| head`
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(
            f"standard output cannot be written: {error.strerror or error}", hint="free space there, or write elsewhere"
        ) from error


# --- everything else -------------------------------------------------------------------------------------------------


def say(text: str, style: str = "") -> None:
    """Prints a line on standard error."""
    with _unimportant():
        _console(sys.stderr).print(plain(text), style=style, soft_wrap=True, markup=False)


def say_error(error: TinyhilError) -> None:
    """Prints an error's message and hint on standard error: a panel on a terminal, else plain lines."""
    from harness.report.console import error_panel

    with _unimportant():
        target = _console(sys.stderr)
        if target.is_terminal:
            target.print(error_panel(error))
            return
        what = f"{error.stage}: {error.code}: {error.message}"
        lines = [one_line(what), *plain(error.details).splitlines(), one_line(f"try: {error.hint}")]
        for line in lines:
            print(line, file=sys.stderr)


@contextmanager
def progress(quiet: bool, title: str = "") -> Iterator[Progress]:
    """Shows the progress of the block on standard error; ends the command cleanly on Ctrl-C."""
    import typer

    try:
        with _progress_line(quiet, title) as tell:
            yield tell
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def _progress_line(quiet: bool, title: str) -> Iterator[Progress]:
    """Shows progress in one line that is overwritten on a terminal, else in a line at the start and now and then."""
    if not sys.stderr.isatty():
        from harness.report.heartbeat import Heartbeat

        if title and not quiet:
            say(one_line(title))
        with Heartbeat(say, title) as beat:
            yield beat
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def tell(what: str, done: int, total: int) -> None:
            text = one_line(f"{title}: {what}" if title else what)
            bar.update(task, description=text, completed=done, total=total or None)

        yield tell


@contextmanager
def _unimportant() -> Iterator[None]:
    """Context of all writing to standard error; failures are ignored."""
    try:
        yield
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    class Raising(Console):
        """A console that raises BrokenPipeError; rich's would exit with status 1, which means a failed check here."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Raising(file=stream, stderr=stream is sys.stderr, highlight=False)


def _silence(stream: TextIO) -> None:
    """Discards what is left in the stream's buffer, and all that follows, since Python flushes it at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # a stream without a file descriptor
