"""The commands `boards` and `doctor`: what there is, what is attached, and what keeps a board from running."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.errors import Category

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.boards.attached import Attached
    from harness.boards.bringup_checks import BringUpCheck

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
ProbeOption = Annotated[
    str | None,
    typer.Option(
        "--probe",
        metavar="ID",
        envvar="TINYHIL_PROBE",
        help="Unique id of the debug probe, or BOARD=ID,...; needed where several are attached.",
    ),
]


def doctor(
    board: Annotated[
        str | None,
        typer.Option(
            "--board", "-b", metavar="BOARD", help="Make the bring-up checks of this board.", show_default=False
        ),
    ] = None,
    probe: ProbeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check compilers, emulator, oracles and probes, or bring up one board check by check; say what to do."""
    if board is not None:
        _bring_up(board, probe, as_json)
        return
    from harness.cli.doctor import Health, examine

    findings = examine()
    missing = [f for f in findings if f.health is Health.MISSING]
    if as_json:
        terminal.print_json(
            {
                "kind": "doctor",
                "healthy": not missing,
                "findings": [
                    {"name": f.name, "health": f.health.value, "detail": f.detail, "hint": f.hint} for f in findings
                ],
            }
        )
    else:
        _table(("what", "health", "detail"), [(f.name, f.health.value, f.detail) for f in findings])
        terminal.print_lines(*(f"{f.name}: {f.hint}" for f in findings if f.hint))
    if missing:
        raise typer.Exit(Category.TOOL.value)


def boards(
    probe: Annotated[
        bool, typer.Option("--probe", help="List attached debug probes with their serial ports, and propose entries.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the boards that can be named with --board."""
    if probe:
        _attached(as_json)
        return
    from harness.boards import load_boards
    from harness.boards.backends import find_backend

    known = load_boards()
    if as_json:
        fields = (
            "name", "title", "core", "backend", "clock_hz", "machine", "target", "stand_in", "stack_size", "verified",
        )  # fmt: skip
        terminal.print_json({"kind": "boards", "boards": [{f: getattr(b, f) for f in fields} for b in known.values()]})
        return
    rows = [
        (
            board.name,
            board.core,
            f"{board.clock_hz / 1e6:g}" if find_backend(board.backend).has_clock else "-",
            board.backend,
            f"{board.memory_total('flash') // 1024:,}" if board.memory else "-",
            f"{board.memory_total('ram') // 1024:,}" if board.memory else "-",
            ", ".join(board.stand_ins),
            board.verified or "",
            board.title,
        )
        for board in known.values()
    ]
    columns = ("board", "core", "MHz", "backend", "flash KiB", "RAM KiB", "stand-ins", "verified", "title")
    _table(columns, rows, right=frozenset({"MHz", "flash KiB", "RAM KiB"}))


def _bring_up(board: str, probe: str | None, as_json: bool) -> None:
    from harness.boards.bringup import bring_up

    def tell(check: str) -> None:
        if not as_json and sys.stderr.isatty():
            terminal.say(f"{check} ...")

    checks = bring_up(board, probe=probe, tell=tell)
    failed = next((check for check in checks if check.ok is False), None)
    if as_json:
        # The schema's names: a ladder of rungs
        made = [vars(check) for check in checks]
        terminal.print_json({"kind": "ladder", "board": board, "healthy": failed is None, "rungs": made})
    else:
        rows = [(check.name, _state(check), _first_line(check.detail)) for check in checks]
        _table(("check", "state", "detail"), rows)
        if failed is not None:
            stop = f"\n{board} stops at `{failed.name}` [{failed.code}]:"
            terminal.print_lines(stop, failed.detail, f"try: {failed.hint}")
    if failed is not None:
        raise typer.Exit(Category.INFRASTRUCTURE.value)


def _state(check: BringUpCheck) -> str:
    return "not tried" if check.ok is None else "ok" if check.ok else "FAILS"


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _attached(as_json: bool) -> None:
    from harness.boards.attached import look_around

    found = look_around()
    if as_json:
        fields = ("unique_id", "description", "virtual", "ports", "device", "boards", "problem", "proposal")
        probes = [{field: getattr(one, field) for field in fields} for one in found]
        terminal.print_json({"kind": "probes", "probes": probes})
        return
    if not found:
        reason = "or this user may not use it (on Linux, install pyOCD's udev rules)"
        terminal.print_lines(f"No debug probe is attached, {reason}.")
        return
    _table(("probe", "product", "serial ports", "chip", "boards"), [_row(one) for one in found])
    for one in found:
        if one.problem:
            terminal.print_lines(f"\n{one.unique_id}: {one.problem}")
        if one.proposal:
            place = f"For the file that TINYHIL_BOARDS names, for probe {one.unique_id}:"
            terminal.print_lines(f"\n{place}\n\n{one.proposal}")


def _row(one: Attached) -> tuple[str, ...]:
    chip = "?" if one.device is None else f"0x{one.device:03x}"
    return (one.unique_id, one.description, ", ".join(one.ports) or "none", chip, ", ".join(one.boards) or "unknown")


def _table(columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]], *, right: frozenset[str] = frozenset()) -> None:
    from harness.report.rows import ReportTable

    terminal.show_table(ReportTable("", columns, tuple(rows), right))
