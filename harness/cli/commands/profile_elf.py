"""`tinyhil profile --elf`: a program that is no model, by functions and by regions that its code marks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import terminal
from harness.cli.outputs import write_output
from harness.errors import OptionError

ElfOption = Annotated[
    Path | None,
    typer.Option("--elf", metavar="FILE", help="Profile this program, built for the board, instead of a model."),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="SYMBOL", help="Of a program: where profiling begins (main); or an address, 0x..."),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="SYMBOL", help="Of a program: where it ends; else where the function --from returns."),
]
FunctionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--functions", metavar="PATTERN", help="Of a program: functions that are regions of their own. Repeatable."
    ),
]
LimitOption = Annotated[
    float,
    typer.Option("--limit", metavar="SECONDS", min=0.1, max=86_400, help="Of a program: how long the run may take."),
]
MarkersOption = Annotated[
    Path | None,
    typer.Option(
        "--markers", metavar="FILE.h", help="Write the header with which a program marks regions there, and end."
    ),
]


@dataclass(frozen=True)
class ProgramOptions:
    """What the options of a program say; None and () where they are not given."""

    elf: Path | None
    start: str | None
    stop: str | None
    functions: tuple[str, ...]
    limit_s: float
    markers: Path | None

    def wanted(self, target: Path | None, others: bool) -> bool:
        """Whether a program, or the header of markers, is asked for instead of a model.

        Raises:
            OptionError: both are, or neither, or options of one with the other.
        """
        if self.markers is not None or self.elf is not None:
            if target is not None:
                raise OptionError(f"{target} and --elf or --markers", hint="profile a model, or a program; not both")
            if others:
                raise OptionError(
                    "options of models with a program",
                    hint="a program takes --board, --from, --to, --functions, --limit, --hot, --format, --report",
                )
            return True
        if self.start is not None or self.stop is not None or self.functions:
            raise OptionError("--from, --to and --functions are for programs", hint="name the program with --elf")
        if target is None:
            raise OptionError("nothing to profile", hint="name a model (.tflite) or a card, or a program with --elf")
        return False


def run(options: ProgramOptions, board: str, hot: int | None, form: str, report: Path | None) -> None:
    """Profiles a program and shows its regions; or writes the header of markers.

    Args:
        options: what to profile.
        board: that the program is for.
        hot: blocks of code to list; None for none.
        form: "text", "json" or "speedscope".
        report: HTML file to write; None for none.
    """
    if options.markers is not None:
        from harness.resources import firmware

        write_output(options.markers, (firmware() / "profile" / "tinyhil_regions.h").read_text(encoding="utf-8"))
        terminal.print_lines(f"Markers of regions: {options.markers}")
    if options.elf is None:
        return
    from harness.boards import find_board
    from harness.cycles.programs.document import frames, program_document
    from harness.cycles.programs.profile import profile_program
    from harness.cycles.speedscope import speedscope
    from harness.report import console, cycles, program

    with terminal.progress(form != "text", f"{options.elf.name} on {board}") as tell:
        profiled = profile_program(
            options.elf,
            find_board(board),
            start=options.start or "main",
            stop=options.stop,
            functions=options.functions,
            limit_s=options.limit_s,
            progress=tell,
        )
    document = program_document(profiled, hot=3 if hot is None else hot)
    if report is not None:
        from harness.report.html.program import render

        write_output(report, render(document))
    if form == "json":
        terminal.print_json(document)
    elif form == "speedscope":
        terminal.print_json(speedscope(profiled.profile, profiled.estimate, frames(profiled)))
    else:
        terminal.show_table(program.regions(document))
        terminal.show(console.listings_of(cycles.hot(document, "all that is profiled") if hot is not None else ()))
