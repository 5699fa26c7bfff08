"""Backend qemu: boards emulated by QEMU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.boards.backends.backend import Backend
from harness.hardware.board import Board, Resolved
from harness.units import Unit

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image


class QemuBackend(Backend):
    """See the module."""

    name = "qemu"
    unit = Unit.INSTRUCTIONS
    emulated = True
    always_runs = True

    def check(self, board: Board) -> tuple[str, ...]:
        """Checks that the entry has the emulator's name of the board, and memory."""
        machine = () if board.machine else ("backend qemu needs `machine`, QEMU's name of the board",)
        return (*machine, *super().check(board))

    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """See base."""
        from harness.boards.backends.qemu.session import QemuSession

        return QemuSession(resolved, image, icount=icount)


BACKEND = QemuBackend()
