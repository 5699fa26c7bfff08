"""Boards of a farm for a workbench: it holds one lease at a time, and lets jobs run again elsewhere.

One at a time, so that workers who need boards of several types cannot wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from harness.errors import BoardError, TinyhilError
from harness.farm.health import is_trouble

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.build.image import Image
    from harness.farm.address import FarmAddress
    from harness.farm.leases import BoardLease, Leases

T = TypeVar("T")
ATTEMPTS = 3


class FarmBoards:
    """A harness.boards.source.BoardSource whose boards are leased when they are first asked for, and kept."""

    def __init__(self, farm: FarmAddress, *, attempts: int = ATTEMPTS, patient: bool = False) -> None:
        """
        Args:
            farm: where boards are leased.
            attempts: how often a run is begun, each time on another board, after troubles of boards.
            patient: wait for a coordinator that is away as long as for a board.
        """
        self.farm = farm
        self._patient = patient
        self._attempts = attempts
        self._leases: Leases | None = None
        self._lease: BoardLease | None = None
        self._board = ""
        self._avoid, self._prefer = "", ""
        self._taken: Callable[[str], object] = _nothing
        self._given: Callable[[str], object] = _nothing

    @property
    def lease(self) -> BoardLease | None:
        """The lease that is held now."""
        return self._lease

    def watch(self, taken: Callable[[str], object], given: Callable[[str], object]) -> None:
        """Calls `taken` with the name of each board that is leased, and `given` when it is given back."""
        self._taken, self._given = taken, given

    def want(self, *, avoid: str = "", prefer: str = "") -> None:
        """From now on any board but `avoid`, or none but `prefer`; "" for any. One that does not fit is given back."""
        self._avoid, self._prefer = avoid, prefer
        if self._lease is not None and (self._lease.name == avoid or prefer not in ("", self._lease.name)):
            self.release()

    def resolve(self, name: str, *, probe: str | None = None) -> Resolved:
        """The board that runs when `name` is asked for: leases one unless one is held.

        Raises:
            FarmError: no board can be leased.
        """
        del probe  # the bench's file names it
        if self._lease is not None and (self._board != name or not self._lease.alive):
            self.release()
        if self._lease is None:
            if self._leases is None:
                self._leases = open_leases(self.farm, patient=self._patient)
            self._lease = self._leases.lease(name, self.farm.wait_s, avoid=self._avoid, prefer=self._prefer)
            self._board = name
            self._taken(self._lease.name)
        return self._lease.resolved

    def open_session(self, resolved: Resolved, image: Image) -> Session:
        """A session with the board that is held."""
        lease = self._lease
        if lease is None or lease.resolved.runs_on != resolved.runs_on:
            raise BoardError(f"no lease of a board {resolved.asked.name} is held", hint="resolve the board first")
        return lease.open(image)

    def release(self) -> None:
        """Gives the board back; may be called again."""
        lease, self._lease = self._lease, None
        if lease is not None:
            self._given(lease.name)  # before the next holder can say that it has it
            lease.release()

    def again(self, work: Callable[[], T], retried: Callable[[str], object]) -> T:
        """The result of `work`, which runs again on another board after a trouble of the board or the farm.

        Args:
            work: uses this source.
            retried: called with what went wrong, in words, before work runs again.

        Raises:
            TinyhilError: that of the last attempt, or the first that is no board's.
        """
        left = self._attempts
        while True:
            left -= 1
            try:
                result = work()
            except TinyhilError as error:
                if not is_trouble(error):
                    raise
                name = self._troubled(error)
                if left == 0:
                    raise
                retried(f"ran again after a trouble{name}: {error.message} [{error.code}]")
                continue
            if self._lease is not None:
                self._lease.good()
            return result

    def _troubled(self, error: TinyhilError) -> str:
        """Notes a trouble at the board and gives it back; where it was, in words."""
        lease = self._lease
        if lease is None:
            return ""
        lease.trouble(error)
        self.release()
        return f" of farm board {lease.name}"

    def close(self) -> None:
        """Gives everything back; may be called again."""
        self.release()
        leases, self._leases = self._leases, None
        if leases is not None:
            leases.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _nothing(name: str) -> None:
    pass


def open_leases(farm: FarmAddress, *, patient: bool = False) -> Leases:
    """The leases of a farm. Raises FarmError, FarmFileError, LabgridMissingError."""
    if farm.bench is not None:
        from harness.farm.local import LocalLeases

        return LocalLeases(farm)
    from harness.farm.remote import RemoteLeases

    return RemoteLeases(farm, patient=patient)
