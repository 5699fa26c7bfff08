"""The host board: the image is a native program that speaks frames on stdin and stdout."""

from __future__ import annotations

from fractions import Fraction

from harness.boards.session import ProgramSession
from harness.errors import BoardError
from harness.link.subprocess import Subprocess
from harness.link.transport import PipeTransport
from harness.units import Unit

# Memory that is not freed at exit is no error of a device; a report on stderr must end the program.
_ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


class HostSession(ProgramSession):
    """The native program."""

    def load(self) -> None:
        """Starts the program. Raises BoardError."""
        self.close()
        self._child = child = Subprocess("the native program", [str(self.image.elf)], pipes=True, env=_ENVIRONMENT)
        self._stream = self._watch(PipeTransport(child.stdout, child.stdin), child)

    def reset(self) -> None:
        """Starts the program again."""
        self.load()

    def read_memory(self, address: int, length: int) -> bytes:
        """Raises BoardError: a native program's memory is not read."""
        raise BoardError("the host board has no memory map to read", hint="use an emulated board to look at memory")

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """A tick is a nanosecond of this machine."""
        return Unit.HOST_NS, Fraction(1_000_000_000, self.ran_on.tick.hz)

    def close(self) -> None:
        """Ends the program."""
        if self._child is not None:
            self._child.close()
        self._close_stream()
