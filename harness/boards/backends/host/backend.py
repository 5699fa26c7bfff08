"""Backend host: the image is a native program of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.boards.backends.backend import Backend
from harness.hardware.board import Board, Resolved
from harness.units import Unit

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image


class HostBackend(Backend):
    """See the module."""

    name = "host"
    unit = Unit.HOST_NS
    emulated = False
    measures_memory = False
    has_clock = False
    always_runs = True

    def check(self, board: Board) -> tuple[str, ...]:
        """No requirements: a native program needs no memory map."""
        del board
        return ()

    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """See base."""
        from harness.boards.backends.host.session import HostSession

        del icount
        return HostSession(resolved, image)


BACKEND = HostBackend()
