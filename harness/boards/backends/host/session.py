"""The host board: the image is a native program that speaks frames on stdin and stdout."""

from __future__ import annotations

from fractions import Fraction

from harness.boards.session import Session
from harness.build.image import Image
from harness.errors import BoardError
from harness.hardware.board import Resolved
from harness.link.subprocess import Subprocess
from harness.link.transport import PipeTransport
from harness.units import Unit

# a leak is not the device's business, and a report on stderr must end the program
_ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


class HostSession(Session):
    """The native program."""

    def __init__(self, resolved: Resolved, image: Image) -> None:
        super().__init__(resolved, image)
        self._child: Subprocess | None = None

    def open(self) -> None:
        """Nothing to get hold of."""

    def load(self) -> None:
        """Start the program."""
        self.close()
        self._child = child = Subprocess("the native program", [str(self.image.elf)], pipes=True, env=_ENVIRONMENT)
        self._stream = self._watch(PipeTransport(child.stdout, child.stdin), child)

    def reset(self) -> None:
        """Start it anew."""
        self.load()

    def read_memory(self, address: int, length: int) -> bytes:
        """Refused: a native program's addresses are its own affair."""
        raise BoardError("the host board has no memory map to read", hint="use an emulated board to look at memory")

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """Nanoseconds of this machine."""
        return Unit.HOST_NS, Fraction(1_000_000_000, self.ran_on.tick.hz)

    def stderr(self) -> str:
        """What the program said, which is where sanitizers report."""
        return "" if self._child is None else self._child.stderr()

    def close(self) -> None:
        """End the program."""
        if self._child is not None:
            self._child.close()
        self._close_stream()
