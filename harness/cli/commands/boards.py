"""The command `tinyhil boards`: all boards, or the attached probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import terminal
from harness.cli.options import JsonOption

if TYPE_CHECKING:
    from harness.boards.attached import Attached
    from harness.hardware.board import Board


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
        boards = [{f: getattr(b, f) for f in fields} | {"npu": _npu(b)} for b in known.values()]
        terminal.print_json({"kind": "boards", "boards": boards})
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
            _short(_npu(board)),
            board.title,
        )
        for board in known.values()
    ]
    columns = ("board", "core", "MHz", "backend", "flash KiB", "RAM KiB", "stand-ins", "verified", "NPU", "title")
    drop = ("title", "verified", "NPU", "stand-ins", "backend", "MHz")
    terminal.show_rows(columns, rows, right=frozenset({"MHz", "flash KiB", "RAM KiB"}), drop=drop)


def _npu(board: Board) -> list[str]:
    """The accelerators that the board has, or may have."""
    return [] if board.npu is None else list(board.npu.accelerators)


def _short(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


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
    columns = ("probe", "product", "serial ports", "chip", "boards")
    terminal.show_rows(columns, [_row(one) for one in found], drop=("chip", "product"))
    for one in found:
        if one.problem:
            terminal.print_lines(f"\n{one.unique_id}: {one.problem}")
        if one.proposal:
            place = f"For the file that TINYHIL_BOARDS names, for probe {one.unique_id}:"
            terminal.print_lines(f"\n{place}\n\n{one.proposal}")


def _row(one: Attached) -> tuple[str, ...]:
    chip = "?" if one.device is None else f"0x{one.device:03x}"
    return (one.unique_id, one.description, ", ".join(one.ports) or "none", chip, ", ".join(one.boards) or "unknown")
