"""Backend pyocd: real boards at a debug probe, and emulated ones at a virtual probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.boards.backends.backend import Absent, Backend
from harness.boards.backends.pyocd import probes
from harness.hardware.board import Board, Resolved
from harness.units import Unit

if TYPE_CHECKING:
    from harness.boards.bringup_checks import BringUp
    from harness.boards.session import Session
    from harness.build.image import Image


class PyocdBackend(Backend):
    """See the module. At a virtual probe the unit of a session is instructions."""

    name = "pyocd"
    unit = Unit.CYCLES
    emulated = False
    has_probe = True
    bring_up_checks = ("image", "probe", "power", "connect", "chip", "flash", "port", "uart", "tick")

    def check(self, board: Board) -> tuple[str, ...]:
        """Checks that the entry has pyOCD's name of the chip, `verified`, and memory."""
        wrong = [] if board.target else ["backend pyocd needs `target`, pyOCD's name of the chip"]
        wrong += [] if board.verified else ["backend pyocd needs `verified`: hardware, virtual or never"]
        return (*wrong, *super().check(board))

    def candidate(self, board: Board, probe: str | None) -> Resolved | Absent:
        """The board at the chosen probe, see harness.boards.backends.pyocd.probes.wanted_probe.

        Raises:
            PackageMissingError: a probe was asked for, and pyOCD is not installed.
            ProbeChoiceError: several debug probes are attached and none is chosen.
            ProbeMissingError: the chosen probe is not attached.
        """
        chosen = probes.choose_probe(board, probe)
        if chosen is None and not probes.is_installed():
            error = probes.missing()
            return Absent(f"{error.message} ({error.hint})", error.hint, error)
        if chosen is None:
            return Absent("no debug probe is attached", "attach its debug probe")
        return probes.board_at(chosen, board)

    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """See base."""
        from harness.boards.backends.pyocd.session import PyocdSession

        del icount
        return PyocdSession(resolved, image)

    def bring_up(self, checks: BringUp, board: Board, probe: str | None) -> bool:
        """Makes the checks of harness.boards.backends.pyocd.bringup."""
        from harness.boards.backends.pyocd.bringup import bring_up

        bring_up(checks, board, probe)
        return True


BACKEND = PyocdBackend()
