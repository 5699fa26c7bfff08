"""Where a workbench has its boards from: this host, or a farm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from harness.boards import open_session, resolve
from harness.boards.session import Session
from harness.build.image import Image
from harness.hardware.board import Resolved

T = TypeVar("T")


class BoardSource(Protocol):
    """Gives boards by name, and sessions with them."""

    def resolve(self, name: str, *, probe: str | None = None) -> Resolved:
        """The board that runs when `name` is asked for, see harness.boards.resolve."""

    def open_session(self, resolved: Resolved, image: Image) -> Session:
        """A session with a board that resolve() gave, see harness.boards.open_session."""

    def again(self, work: Callable[[], T], retried: Callable[[str], object]) -> T:
        """The result of `work`, which uses this source; made again after a trouble where another board may do better.

        Args:
            work: makes a run.
            retried: called with what went wrong, in words, before work runs again.

        Raises:
            TinyhilError: that of the last attempt.
        """


class OwnBoards:
    """The boards of this host."""

    def resolve(self, name: str, *, probe: str | None = None) -> Resolved:
        """See harness.boards.resolve."""
        return resolve(name, probe=probe)

    def open_session(self, resolved: Resolved, image: Image) -> Session:
        """See harness.boards.open_session."""
        return open_session(resolved, image)

    def again(self, work: Callable[[], T], retried: Callable[[str], object]) -> T:
        """Once: there is no other board."""
        del retried
        return work()
