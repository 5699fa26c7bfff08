"""The protocol of backends: how boards of one kind are checked, found, run and brought up."""

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
    """Why a board cannot run as itself now; another may stand in for it.

    Attributes:
        reason: beginning of a sentence that ends with what stands in.
        hint: how to make the board run as itself.
        error: raised where nothing stands in; None for a BoardError with the board's name and `hint`.
    """

    reason: str
    hint: str
    error: TinyhilError | None = None


class Backend(ABC):
    """How the boards run whose entry in boards.yaml names this backend. Without state: one object serves all boards.

    A backend of another package is a subclass without constructor arguments, or an object of one, named by an entry
    point of group "tinyhil.backends" with the backend's name. Its module is imported when a board names it, and should
    import what opens boards only inside its methods.

    Attributes:
        name: the value of `backend` in boards.yaml.
        unit: the unit that ticks of the device's counter are converted to; None where they have no meaning.
        emulated: whether the core is emulated on this machine.
        has_probe: whether boards are used through a debug probe; such boards may be absent, and are no stand-ins.
        measures_memory: whether flash and stack of an image are those of a microcontroller.
        has_clock: whether the core runs at `clock_hz`.
        always_runs: whether boards need nothing that is not installed with tinyhil; "--board all" runs these.
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
        """What is wrong with a board's entry for this backend: sentences that name the key; empty if nothing is."""
        if not any(region.kind == "ram" for region in board.memory):
            return ("`memory` must name at least one region of kind ram",)
        return ()

    def candidate(self, board: Board, probe: str | None) -> Resolved | Absent:
        """The board itself if it can run now, else why it cannot.

        Args:
            board: one of this backend's.
            probe: the debug probe, as given by --probe; None if not given.

        Raises:
            TinyhilError: it cannot run for a reason that only the user can resolve, so that nothing stands in for it.
        """
        del probe
        return Resolved(board, board, False, "")

    @abstractmethod
    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """A session with a board that runs; entering its `with` block opens it.

        Args:
            resolved: the board that runs, and the one that was asked for.
            image: built for the board that runs.
            icount: whether an emulated board counts instructions exactly.

        Raises:
            BoardError: the image is for another board.
        """

    def bring_up(self, checks: BringUp, board: Board, probe: str | None) -> bool:
        """Makes the checks of `bring_up_checks` in order.

        Returns:
            False where the backend has no checks of its own: then the image is started and asked for its identity.
        """
        del checks, board, probe
        return False
