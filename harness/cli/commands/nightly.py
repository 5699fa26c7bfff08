"""The command `tinyhil nightly`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, command_line
from harness.errors import OptionError

if TYPE_CHECKING:
    from harness.report.document import Document

_ROOT = Path("nights")


def nightly(
    file: Annotated[Path, typer.Argument(metavar="FARM.YAML", help="Models, boards, modes, runtimes, and the farm.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the night; one that was begun there goes on. Default: the last one in nights/ that was not "
            "ended, or a new one.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[str, typer.Option(metavar="N/COUNT", help="Run only this part of the jobs.")] = "1/1",
    as_json: JsonOption = False,
) -> None:
    """Run models x boards x modes x runtimes on a farm, keep the results, compare with the last good night.

    Ended by anything, the same command goes on where it was. What failed or got worse is run again on a second board.
    """
    from harness.nightly.file import load_night
    from harness.nightly.night import Night, night_folder, run_night

    number = shard_number(shard)
    plan = load_night(file)
    place = folder or night_folder(_ROOT)
    with terminal.progress(as_json, f"night {place.name}") as tell:
        document = run_night(Night(plan, place, number, command_line(), tell))
    if as_json:
        terminal.print_json(document)
    else:
        _show(document, place)
    raise typer.Exit(int(document["exit_code"]))


def shard_number(text: str) -> tuple[int, int]:
    """(number from 1, count) of --shard. Raises OptionError."""
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise OptionError(f"--shard {text}: no N/COUNT", hint="such as --shard 2/5 for the second of five parts")
    return number, count


def _show(document: Document, place: Path) -> None:
    report, farm = document["report"], document["farm"]
    rows = [(each["board"], str(each["jobs"]), f"{each['busy']:.0%}") for each in farm["boards"]]
    terminal.show_rows(("farm board", "jobs", "busy"), rows, right=frozenset({"jobs", "busy"}))
    for each in report["problems"]:
        terminal.print_lines(f"{each['verdict']}: {each['subject']}: {each['what']}")
    for each in report["changed"]:
        terminal.print_lines(f"{each['change']}: {each['subject']}{': ' if each['why'] else ''}{each['why']}")
    for each in report["suspects"]:
        terminal.print_lines(f"{each['finding']}: {each['subject']} {each['why']}, run again on a second board")
    verdicts = ", ".join(f"{count} {word}" for word, count in report["verdicts"].items() if count)
    again = f", {farm['again']} begun again" if farm["again"] else ""
    took = f"{farm['seconds']:.0f} s"
    terminal.print_lines(f"{report['jobs']} jobs: {verdicts}{again}; {took}. Report: {place / 'report.md'}")
