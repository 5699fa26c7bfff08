"""Sessions with a virtual board: an emulated chip in a process of its own, frames over a pseudo-terminal."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from harness.boards.session import Session
from harness.build.image import Image
from harness.errors import BoardError
from harness.hardware.board import Resolved
from harness.units import Unit

if TYPE_CHECKING:
    from harness.virtual.remote import RemoteMachine

DEFAULT_BAUD = 115_200


class VirtualSession(Session):
    """An image on the virtual board."""

    def __init__(self, resolved: Resolved, image: Image) -> None:
        super().__init__(resolved, image)
        self._machine: RemoteMachine | None = None
        self._said = ""
        self._notes: tuple[str, ...] = ()

    def open(self) -> None:
        """Starts the virtual board.

        Raises:
            EmulatorMissingError: the emulator's package is not installed.
            BoardError: it does not start.
        """
        from harness.virtual.remote import RemoteMachine

        self._machine = RemoteMachine(self.ran_on.name)

    def load(self) -> None:
        """Writes the image into flash without the flash controller, and starts it. Raises BoardError."""
        self.machine.load(self.image.elf)
        self.reset()

    def reset(self) -> None:
        """Restarts the image."""
        from harness.link.serial import SerialTransport

        self._close_stream()
        self.baud = DEFAULT_BAUD if self.ran_on.uart is None else self.ran_on.uart.baud
        transport = SerialTransport(self.machine.port, self.baud)
        self._stream = self._watch(transport, self.machine.child)
        self.machine.reset()

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory while the firmware runs."""
        from harness.virtual.remote import RemoteBusError

        self._readable(address, length)
        try:
            return self.machine.read(address, length)
        except RemoteBusError as error:
            raise BoardError(f"{self.ran_on.name}: {error}", hint="is `memory` in boards.yaml right?") from error

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """Instructions: the emulated cycle counter counts these."""
        return Unit.INSTRUCTIONS, Fraction(1)

    def notes(self) -> tuple[str, ...]:
        """A note on speed, and accesses of the firmware that real silicon would not allow."""
        return self._notes

    def stderr(self) -> str:
        """The end of the virtual board's stderr."""
        return self._said if self._machine is None else self._machine.child.stderr()

    @property
    def machine(self) -> RemoteMachine:
        """The board's process.

        Raises:
            BoardError: the session is not open.
        """
        if self._machine is None:
            raise self._not_open()
        return self._machine

    def close(self) -> None:
        """Ends the virtual board."""
        self._close_stream()
        machine, self._machine = self._machine, None
        if machine is not None:
            self._notes = machine.notes()
            machine.close()
            self._said = machine.child.stderr()
