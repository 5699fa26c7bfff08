"""What a backend is: how boards of one kind are checked, found, run and brought up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.hardware.board import Board, Resolved

if TYPE_CHECKING:
    from harness.boards.bringup_checks import BringUp
    from harness.boards.session import Session
    from harness.build.image import Image
    from harness.errors import TinyhilError
    from harness.units import Unit


@dataclass(frozen=True)
class Absent:
    """Why a board cannot run as itself now, so that another may stand in for it.

    Attributes:
        reason: the beginning of the sentence that says what stands in.
        hint: what would let the board run as itself.
        error: what is raised where nothing stands in; None for one that is made of the board's name and `hint`.
    """

    reason: str
    hint: str
    error: TinyhilError | None = None


class Backend(ABC):
    """How the boards run whose entry in boards.yaml names this backend. It has no state: one object serves all boards.

    A backend of another package is an object (or a class without arguments) of a subclass, named by an entry point of
    group "tinyhil.backends"; the entry point's name is the backend's. Its module is imported once a board names it, and
    imports what opens boards only in the methods.

    Attributes:
        name: what `backend` in boards.yaml says.
        unit: what the ticks of the device's counter are converted to; None where they mean nothing.
        emulated: the core is emulated on this machine.
        has_probe: boards are used through a debug probe and may be absent, so that none stands in for another.
        measures_memory: the image's flash and the use of the stack are those of a microcontroller.
        has_clock: `clock_hz` is the rate of the core.
        always_runs: boards run wherever tinyhil is installed as it says; "--board all" means them.
        bring_up_checks: names of the checks of `tinyhil doctor --board`, in order.
    """

    name: ClassVar[str]
    unit: ClassVar[Unit | None]
    emulated: ClassVar[bool]
    has_probe: ClassVar[bool] = False
    measures_memory: ClassVar[bool] = True
    has_clock: ClassVar[bool] = True
    always_runs: ClassVar[bool] = False
    bring_up_checks: ClassVar[tuple[str, ...]] = ("image", "start", "uart", "tick")

    def check(self, board: Board) -> tuple[str, ...]:
        """What is wrong with a board's entry for this backend: sentences that name the key; empty where nothing is."""
        if not any(region.kind == "ram" for region in board.memory):
            return ("`memory` must name at least one region of kind ram",)
        return ()

    def candidate(self, board: Board, probe: str | None) -> Resolved | Absent:
        """The board itself, where it can run now.

        Args:
            board: one of this backend's.
            probe: the debug probe to use it through, as --probe gives it; None where the user does not choose.

        Raises:
            TinyhilError: it cannot run, and nothing may stand in for it without the user being asked.
        """
        del probe
        return Resolved(board, board, False, "")

    @abstractmethod
    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """A session with a board that runs, not yet opened: `with` does that.

        Args:
            resolved: what runs, and what was asked for.
            image: built for the board that runs.
            icount: on an emulated board, count instructions exactly.

        Raises:
            BoardError: the image is for another board.
        """

    def bring_up(self, checks: BringUp, board: Board, probe: str | None) -> bool:
        """Make the checks of `bring_up_checks` in their order.

        Returns:
            False where the backend has none of its own: then the image is started and asked who it is.
        """
        del checks, board, probe
        return False
