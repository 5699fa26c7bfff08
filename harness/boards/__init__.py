"""Boards: what there is, which one runs, and a session with it."""

from __future__ import annotations

from harness.boards.backends.pyocd.probes import attached_probes
from harness.boards.registry import find_board, load_boards
from harness.boards.resolution import resolve
from harness.boards.session import Session
from harness.build.image import Image
from harness.errors import NotYetError
from harness.hardware.board import Board, Probe, Region, Resolved, Tick

__all__ = [
    "Board", "Probe", "Region", "Resolved", "Session", "Tick", "attached_probes", "find_board",
    "load_boards", "open_session", "resolve",
]  # fmt: skip


def open_session(board: Board | Resolved, image: Image, *, icount: bool = True) -> Session:
    """A session, to be used with `with`: entering starts the image, leaving ends it whatever happened.

    Args:
        board: what `resolve` gave, or a board that runs as itself.
        image: built for the board that runs.
        icount: on an emulated board, count instructions exactly.

    Raises:
        BoardError: the image is for another board.
        NotYetError: the board's backend does not exist yet.
    """
    resolved = board if isinstance(board, Resolved) else Resolved(board, board, False, "")
    backend = resolved.runs_on.backend
    if backend == "qemu":
        from harness.boards.backends.qemu.session import QemuSession

        return QemuSession(resolved, image, icount=icount)
    if backend == "host":
        from harness.boards.backends.host import HostSession

        return HostSession(resolved, image)
    if backend == "pyocd":
        from harness.boards.backends.pyocd.session import PyocdSession

        return PyocdSession(resolved, image)
    if backend == "fvp":
        from harness.boards.backends.fvp import FvpSession

        return FvpSession(resolved, image)
    if backend == "virtual":
        from harness.boards.backends.virtual import VirtualSession

        return VirtualSession(resolved, image)
    raise NotYetError(
        f"this version cannot run {resolved.runs_on.name} through a debug probe",
        hint=f"use its stand-in: --board {resolved.runs_on.stand_in}",
    )
