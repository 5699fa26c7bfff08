"""Standard output and error: what is written there arrives, or the command says that it did not.

Either may be closed, full, a pipe whose reader has gone, or unable to show all of Unicode. Nothing of that may change
what the command finds out, so only a failure to write results is an error, and a reader that has enough is none.
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

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from harness.build.progress import Progress
    from harness.report.document import Document
    from harness.report.rows import ReportTable

EXIT_INTERRUPTED = 130


def prepare() -> None:
    """Make both streams usable; called once, before anything is written."""
    if sys.stdout is None:  # closed by whoever started the command
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


# --- results ---------------------------------------------------------------------------------------------------------


def print_json(document: Document) -> None:
    """One JSON document on standard output."""
    with _results():
        json.dump(document, sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")


def print_lines(*lines: str) -> None:
    """Lines on standard output, as they are."""
    with _results():
        for line in lines:
            print(line)


def show(parts: Iterable[RenderableType]) -> None:
    """Tables and texts on standard output."""
    from harness.report import console

    content = list(parts)
    with _results():
        console.show(_console(sys.stdout), content)


def show_table(content: ReportTable) -> None:
    """A table on standard output."""
    from harness.report.console import table

    show([table(content)])


def show_rows(
    columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, right: frozenset[str] = frozenset()
) -> None:
    """A table without a title; columns named in `right` are set right."""
    from harness.report.rows import ReportTable

    show_table(ReportTable("", columns, tuple(rows), right))


@contextmanager
def _results() -> Iterator[None]:
    """Around writing to standard output, and nothing else.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)  # the reader has enough, as with `| head`
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(
            f"standard output cannot be written: {error.strerror or error}", hint="free space there, or write elsewhere"
        ) from error


# --- everything else -------------------------------------------------------------------------------------------------


def say(text: str, style: str = "") -> None:
    """A line on standard error."""
    with _unimportant():
        _console(sys.stderr).print(text, style=style, soft_wrap=True, markup=False)


def say_error(error: TinyhilError) -> None:
    """What failed and what to try on standard error: a panel on a terminal, else lines that no border breaks."""
    from harness.report.console import error_panel

    with _unimportant():
        target = _console(sys.stderr)
        if target.is_terminal:
            target.print(error_panel(error))
            return
        lines = [f"{error.stage}: {error.code}: {error.message}", *error.details.splitlines(), f"try: {error.hint}"]
        for line in lines:
            print(line, file=sys.stderr)


@contextmanager
def progress(quiet: bool, title: str = "") -> Iterator[Progress]:
    """Progress on standard error around everything that takes long; ends the command cleanly on Ctrl-C."""
    import typer

    try:
        with _progress_line(quiet, title) as tell:
            yield tell
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def _progress_line(quiet: bool, title: str) -> Iterator[Progress]:
    """A moving line on a terminal, one line at the start elsewhere."""
    if not sys.stderr.isatty():
        if title and not quiet:
            say(title)
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def tell(what: str, done: int, total: int) -> None:
            text = f"{title}: {what}" if title else what
            bar.update(task, description=text, completed=done, total=total or None)

        yield tell


@contextmanager
def _unimportant() -> Iterator[None]:
    """Around writing to standard error: where that fails, nobody is there to be told."""
    try:
        yield
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    class Raising(Console):
        """rich would end the process with status 1, which means a failed check here."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Raising(file=stream, stderr=stream is sys.stderr, highlight=False)


def _silence(stream: TextIO) -> None:
    """Send what is left in the stream's buffer, and all that follows, nowhere: Python flushes it at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # not a stream of the operating system
