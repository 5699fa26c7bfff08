"""The command `tinyhil doctor`: what is installed, or the bring-up checks of a board."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption, ProbeOption
from harness.errors import Category

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.boards.bringup_checks import BringUpCheck
    from harness.cli.examination import Finding


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
    from harness.cli.examination import Health, examine

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
        terminal.show_rows(("what", "health", "detail"), _found(findings), prose=frozenset({"detail"}))
        terminal.print_text(*(f"{f.name}: {f.hint}" for f in findings if f.hint))
    if missing:
        raise typer.Exit(Category.TOOL.value)


def _found(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    return [(finding.name, finding.health.value, finding.detail) for finding in findings]


def _bring_up(board: str, probe: str | None, as_json: bool) -> None:
    from harness.boards.bringup import bring_up

    def tell(check: str) -> None:
        if not as_json and sys.stderr.isatty():
            terminal.say(f"{check} ...")

    checks = bring_up(board, probe=probe, tell=tell)
    broken = next((check for check in checks if check.ok is False), None)
    if as_json:
        # The checks are named "rungs" in the document's schema.
        rungs = [vars(check) for check in checks]
        terminal.print_json({"kind": "ladder", "board": board, "healthy": broken is None, "rungs": rungs})
    else:
        rows = [(check.name, _state(check), check.detail.partition("\n")[0]) for check in checks]
        terminal.show_rows(("check", "state", "detail"), rows, prose=frozenset({"detail"}))
        if broken is not None:
            stop = f"\n{board} stops at `{broken.name}` [{broken.code}]:"
            terminal.print_text(stop, broken.detail, f"try: {broken.hint}")
    if broken is not None:
        raise typer.Exit(Category.INFRASTRUCTURE.value)


def _state(check: BringUpCheck) -> str:
    return "not tried" if check.ok is None else "ok" if check.ok else "FAILS"
