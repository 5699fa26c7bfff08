"""Backend fvp: boards emulated by Arm's Fixed Virtual Platforms."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.boards.backends.backend import Absent, Backend
from harness.errors import EmulatorMissingError
from harness.hardware.board import Board, Resolved

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image


class FvpBackend(Backend):
    """See the module. An FVP's time is neither cycles nor instructions, so there is no unit."""

    name = "fvp"
    unit = None
    emulated = True

    def check(self, board: Board) -> tuple[str, ...]:
        """Checks the program's name, the memory, and that no argument ends a run at bytes that frames may have."""
        wrong = [] if board.machine else ["backend fvp needs `machine`, the name of the FVP's program"]
        wrong += [
            f"{argument} would end the run at bytes that frames may contain"
            for argument in board.arguments
            if "shutdown_on_eot" in argument or "shutdown_tag" in argument
        ]
        return (*wrong, *super().check(board))

    def candidate(self, board: Board, probe: str | None) -> Resolved | Absent:
        """The board, if its program is installed.

        Raises:
            EmulatorMissingError: $TINYHIL_FVP names no program.
        """
        from harness.boards.backends.fvp.session import VARIABLE, find_fvp

        try:
            find_fvp(board)
        except EmulatorMissingError as error:
            if os.environ.get(VARIABLE):
                raise
            return Absent(error.message, error.hint, error)
        return super().candidate(board, probe)

    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """See base."""
        from harness.boards.backends.fvp.session import FvpSession

        del icount
        return FvpSession(resolved, image)


BACKEND = FvpBackend()
