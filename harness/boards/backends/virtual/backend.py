"""Backend virtual: a real board's own image on an emulated chip; used as a stand-in, never named in boards.yaml."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.boards.backends.backend import Backend
from harness.errors import BoardError
from harness.hardware.board import VIRTUAL, Board, Resolved
from harness.resources import has_package
from harness.units import Unit

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image


class VirtualBackend(Backend):
    """See the module."""

    name = VIRTUAL
    unit = Unit.INSTRUCTIONS
    emulated = True

    def open(self, resolved: Resolved, image: Image, *, icount: bool = True) -> Session:
        """See base."""
        from harness.boards.backends.virtual.session import VirtualSession

        del icount
        return VirtualSession(resolved, image)


def is_installed() -> bool:
    """Whether the extra "virtual" is installed and the system has pseudo-terminals."""
    return sys.platform != "win32" and has_package("unicorn") and has_package("serial")


def knows(chip: str | None) -> bool:
    """Whether this chip can be emulated."""
    from harness.virtual.chips import find_chip

    try:
        return chip is not None and bool(find_chip(chip))
    except BoardError:
        return False


def emulation_of(board: Board) -> Board | str:
    """The board with its chip emulated, or the reason why it cannot be."""
    if not knows(board.chip):
        return f"there is no virtual {board.chip}"
    if not is_installed():
        return f"pip install 'tinyhil[virtual]' would let a virtual {board.name} run its own image"
    return replace(board, backend=VIRTUAL)


BACKEND = VirtualBackend()
