"""Boards: the entries of boards.yaml, which board runs for one that is asked for, and sessions with it."""

from __future__ import annotations

from harness.boards.backends import find_backend
from harness.boards.backends.pyocd.probes import attached_probes
from harness.boards.registry import find_board, load_boards
from harness.boards.resolution import resolve
from harness.boards.session import Session
from harness.build.image import Image
from harness.hardware.board import Board, Probe, Region, Resolved, Tick

__all__ = [
    "Board", "Probe", "Region", "Resolved", "Session", "Tick", "attached_probes", "find_board",
    "load_boards", "open_session", "resolve",
]  # fmt: skip


def open_session(board: Board | Resolved, image: Image, *, icount: bool = True) -> Session:
    """A session for a `with` block: entering it starts the image, leaving it ends it in any case.

    Args:
        board: the result of `resolve`, or a board that runs as itself.
        image: built for the board that runs.
        icount: on an emulated board, count instructions exactly.

    Raises:
        BoardError: the image is for another board.
    """
    resolved = board if isinstance(board, Resolved) else Resolved(board, board, False, "")
    return find_backend(resolved.runs_on.backend).open(resolved, image, icount=icount)
