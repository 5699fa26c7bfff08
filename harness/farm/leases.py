"""The protocol of leases: a board of a farm that one worker uses at a time."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.boards import Resolved, Session
    from harness.build.image import Image
    from harness.errors import TinyhilError

MARK = "tinyhil-"
"""How the second part of our holders' names begins: a reaper touches no lease of anybody else."""


class BoardLease(Protocol):
    """A board of a farm that is ours until release().

    Attributes:
        name: the board's name in the farm.
        resolved: the board that was asked for, and the one that runs.
    """

    name: str
    resolved: Resolved

    @property
    def alive(self) -> bool:
        """Whether it is still ours."""

    def open(self, image: Image, *, icount: bool = True) -> Session:
        """A session for a `with` block, see harness.boards.open_session."""

    def good(self) -> None:
        """Notes that a job went well on the board."""

    def trouble(self, error: TinyhilError) -> None:
        """Notes an error of the board, which may quarantine it."""

    def release(self) -> None:
        """Gives the board back, whatever has happened; may be called again."""


class Leases(Protocol):
    """Where leases come from."""

    def lease(self, board: str, wait_s: float, *, avoid: str = "", prefer: str = "") -> BoardLease:
        """A lease of a board of a type, in the order of priorities and of asking.

        Args:
            board: its type, the name of an entry in boards.yaml.
            wait_s: seconds to wait for one.
            avoid: the name of a board that it must not be; "" for none.
            prefer: the name of the only board that it may be; "" for any.

        Raises:
            FarmFullError: none was free in time, or the farm has none.
            FarmLostError: the farm is not reached.
        """

    def close(self) -> None:
        """Lets go of the farm; may be called again."""


def holder_name() -> str:
    """A name for a holder, unlike that of any other."""
    return f"{socket.gethostname()}/{MARK}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def is_ours(holder: str) -> bool:
    """Whether a holder's name is of tinyhil."""
    return holder.partition("/")[2].startswith(MARK)


def tags_for(board: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a place must have to be leased for a board's type."""
    return {**tags, "board": board, "state": "ready"}
