"""The command `tinyhil calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.options import BoardOption, JsonOption, LinkOption, ProbeOption
from harness.errors import Category, OptionError
from harness.version import DEFAULT_BOARD

if TYPE_CHECKING:
    from harness.cycles.calibrate import Calibration, LoopMeasurement


def calibrate(
    board: BoardOption = DEFAULT_BOARD,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the real board's table here.", show_default=False),
    ] = None,
    flash: Annotated[
        str | None,
        typer.Option(
            "--flash",
            metavar="NAME",
            help="How the board's flash is set up: dual-bank, single-bank.",
            show_default=False,
        ),
    ] = None,
    link: LinkOption = "uart",
    probe: ProbeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time a loop for each rule of the cycle model: on a real board, measure it; on an emulator, check the model."""
    import datetime

    from harness.boards import open_session, resolve
    from harness.cycles.calibrate import calibrate as time_loops
    from harness.cycles.calibration_image import build
    from harness.files.writing import write_whole
    from harness.validate.link_check import link_to_build
    from harness.validate.options import check_choice

    check_choice("link", link)
    resolved = resolve(board, probe=probe)
    if output is not None and not output.parent.is_dir():
        raise OptionError(f"cannot write '{output}': no such folder", hint="name a file in a folder that exists")
    with terminal.progress(as_json, f"calibration of {board}") as tell:
        image = build(resolved.runs_on, link_to_build(link, resolved.runs_on), tell)
        with open_session(resolved, image) as session:
            found = time_loops(session, flash=flash, progress=tell)
    if output is not None:
        text = found.table(datetime.date.today().isoformat(), f"board {board}, build {image.build_id}")
        write_whole(output, text)
    if as_json:
        terminal.print_json(_document(found, resolved.reason))
    else:
        _print(found, resolved.reason, output)
    if not found.as_expected:
        raise typer.Exit(Category.CHECK.value)


def _print(found: Calibration, reason: str, output: Path | None) -> None:
    from harness.report.table import ReportTable

    measures = found.unit.value == "cycles"
    columns = ["loop", "by hand", "modelled", found.unit.value]
    rows = []
    for reading in found.readings:
        figure = reading.figure
        row = [figure.loop.name, _number(figure.by_hand), _number(figure.modelled), _number(reading.measured)]
        if measures:
            row.append("" if reading.deviation is None else f"{reading.deviation:+.1%}")
        row.append("" if reading.as_expected else _wrong(reading))
        rows.append(tuple(row))
    columns += ["model off by", ""] if measures else [""]
    where = found.ran_on if found.ran_on == found.board else f"{found.ran_on}, for {found.board} ({reason})"
    terminal.show_table(
        ReportTable(
            f"{found.core.title} on {where}, a body of each loop", tuple(columns), tuple(rows), frozenset(columns[1:-1])
        )
    )
    wrong = sum(not reading.as_expected for reading in found.readings)
    lines = [f"{len(found.readings) - wrong} of {len(found.readings)} loops are as expected"]
    if found.left_out:
        lines.append(f"left out, for this board has no use for them: {', '.join(found.left_out)}")
    if not measures:
        lines.append("an emulator counts instructions: tables and engine were checked, no cycle was measured")
    if output is not None:
        lines.append(f"{output}: use it with TINYHIL_CYCLE_TABLES={output.parent}")
    terminal.print_text(*lines)


def _wrong(reading: LoopMeasurement) -> str:
    if not reading.figure.agrees:
        return "model and hand disagree"
    return f"{_number(reading.figure.instructions)} instructions expected"


def _number(value: Any) -> str:
    return f"{float(value):,.2f}".rstrip("0").rstrip(".")


def _document(found: Calibration, reason: str) -> dict[str, Any]:
    return {
        "kind": "calibration",
        "board": found.board,
        "ran_on": found.ran_on,
        "reason": reason,
        "core": found.core.core,
        "setup": None if found.setup is None else found.setup.name,
        "unit": found.unit.value,
        "as_expected": found.as_expected,
        "left_out": list(found.left_out),
        "loops": [
            {
                "name": reading.figure.loop.name,
                "rows": list(reading.figure.loop.rows),
                "why": reading.figure.loop.why,
                "by_hand": float(reading.figure.by_hand),
                "modelled": float(reading.figure.modelled),
                "measured": float(reading.measured),
                "instructions": float(reading.figure.instructions),
                "deviation": reading.deviation,
                "as_expected": reading.as_expected,
            }
            for reading in found.readings
        ],
    }
