"""Which chip a board has, and how its serial port is wired to it."""

from __future__ import annotations

from harness.hardware.boards_file import known_board
from harness.virtual.chip import Wiring


def wired(name: str) -> tuple[str, Wiring | None]:
    """The chip and the wiring of a board of boards.yaml; any other name is taken for a chip's, wired as its Nucleo."""
    board = known_board(name)
    if board is None or board.chip is None:
        return name, None
    uart = board.uart
    return board.chip, None if uart is None else Wiring(uart.name.lower(), uart.tx.lower(), uart.rx.lower())
