"""What goes wrong inside the NPU; whoever runs a stream makes of it an error that names file and command."""

from __future__ import annotations

from enum import Enum, auto


class FaultCause(Enum):
    """How the NPU would notice: its bus, its reader of commands, its decoder of weights."""

    COMMAND = auto()
    BUS = auto()
    WEIGHTS = auto()


class FaultError(Exception):
    """A command that cannot be carried out; `place` is its word and name, "" until the simulator adds it."""

    def __init__(self, message: str, place: str = "", cause: FaultCause = FaultCause.COMMAND) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.cause = cause
