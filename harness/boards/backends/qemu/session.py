"""Emulated boards: QEMU's system emulator."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

from harness.boards.backends.qemu.qmp import Qmp
from harness.boards.programs import named_program
from harness.boards.session import ProgramSession
from harness.build.image import Image
from harness.errors import BoardError, EmulatorMissingError, PortBusyError
from harness.hardware.board import Resolved
from harness.link.subprocess import Subprocess
from harness.link.transport import PipeTransport, SocketTransport, Transport
from harness.link.waiting import ready
from harness.units import Unit

VARIABLE = "TINYHIL_QEMU"
PROGRAM = "qemu-system-arm"
CONNECT_TIMEOUT_S = 15.0

# One instruction takes 2**ICOUNT_SHIFT ns of virtual time: several ticks of every board's counter, so that differences
# of tick readings give numbers of instructions without rounding errors.
ICOUNT_SHIFT = 8

USUAL_PLACES = ("/opt/homebrew/bin", "/usr/local/bin", "C:/Program Files/qemu", "C:/msys64/mingw64/bin")
"""Folders that are looked at after PATH."""


def find_qemu() -> Path:
    """The emulator: $TINYHIL_QEMU, then PATH, then the usual places.

    Raises:
        EmulatorMissingError: it is in none of them.
    """
    named = named_program(VARIABLE)
    if named is not None:
        return named
    for path in (None, *USUAL_PLACES):
        program = shutil.which(PROGRAM, path=path)
        if program:
            return Path(program)
    raise EmulatorMissingError(f"no {PROGRAM} on PATH or in the usual places", hint=install_hint())


@cache
def qemu_version() -> str:
    """The first line of QEMU's --version.

    Raises:
        EmulatorMissingError: QEMU is not installed.
    """
    program = find_qemu()
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not tell its version ({error}) ({program})"
    return f"{done.stdout.partition(chr(10))[0].strip()} ({program})"


def install_hint(platform: str | None = None) -> str:
    """How to install the emulator on this operating system."""
    platform = sys.platform if platform is None else platform
    if platform == "darwin":
        how = "brew install qemu"
    elif platform == "win32":
        how = "winget install SoftwareFreedomConservancy.QEMU"
    else:
        how = (
            "apt install qemu-system-arm (Debian, Ubuntu), dnf install qemu-system-arm (Fedora), "
            "pacman -S qemu-system-arm (Arch)"
        )
    return f"install it: {how}, or set {VARIABLE} to the program; --board host needs no emulator"


class QemuSession(ProgramSession):
    """An image on an emulated board: UART over a socket or semihosting over pipes, by the image's link."""

    def __init__(
        self, resolved: Resolved, image: Image, *, icount: bool = True, arguments: Sequence[str] = ()
    ) -> None:
        """A session.

        Args:
            icount: count instructions exactly; without it the emulator is faster and ticks have no meaning.
            arguments: further arguments for the emulator.
        """
        super().__init__(resolved, image)
        self._icount = icount
        self._arguments = tuple(arguments)
        self._monitor: socket.socket | None = None
        self._qmp: Qmp | None = None

    def load(self) -> None:
        """Starts the emulator with the image, which runs at once.

        Raises:
            EmulatorMissingError: QEMU is not installed.
            BoardError: it ended or did not connect.
        """
        self._end()
        program = find_qemu()
        with contextlib.ExitStack() as on_failure:
            monitor = on_failure.enter_context(_listener())
            command = [
                str(program), "-no-user-config", "-machine", str(self.ran_on.machine), "-display", "none",
                "-monitor", "none", "-kernel", str(self.image.elf),
                "-chardev", f"socket,id=qmp,host=127.0.0.1,port={_port(monitor)}", "-mon", "chardev=qmp,mode=control",
            ]  # fmt: skip
            if self._icount:
                command += ["-icount", f"shift={ICOUNT_SHIFT}"]
            command += self._arguments
            uart = None
            if self.image.link == "uart":
                uart = on_failure.enter_context(_listener())
                where = f"socket,id=link,host=127.0.0.1,port={_port(uart)},nodelay=on"
                command += ["-chardev", where, "-serial", "chardev:link"]
            else:
                command += ["-serial", "null", "-semihosting-config", "enable=on,target=native"]
            child = Subprocess(PROGRAM, command, pipes=uart is None)
            self._child = child
            if uart is None:
                inner: Transport = PipeTransport(child.stdout, child.stdin)
            else:
                inner = SocketTransport(_accept(uart, child))
                uart.close()
            self._stream = self._watch(inner, child)
            self._monitor = monitor
            on_failure.pop_all()

    def reset(self) -> None:
        """Starts a new emulator."""
        self.load()

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory through the emulator's monitor while the firmware runs."""
        self._readable(address, length)
        if self._monitor is None or self._child is None:
            raise self._nothing_loaded()
        if self._qmp is None:
            self._qmp = Qmp(_accept(self._monitor, self._child))
        return self._qmp.read_memory(address, length)

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """Instructions per tick with icount, else None."""
        if not self._icount:
            return None
        return Unit.INSTRUCTIONS, 1 / self.ran_on.tick.per_instruction(1 << ICOUNT_SHIFT)

    def close(self) -> None:
        """Ends the emulator."""
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            self._child.close()  # but keep it for stderr()
        self._close_stream()
        for thing in (self._qmp, self._monitor):
            if thing is not None:
                with contextlib.suppress(OSError):
                    thing.close()
        self._qmp = self._monitor = None


def _listener() -> socket.socket:
    """A listening socket on the loopback interface, at a port that the system chooses."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
    except OSError as error:
        listener.close()
        raise PortBusyError(
            f"no local port can be opened: {error.strerror}", hint="does a firewall or sandbox forbid 127.0.0.1?"
        ) from error
    return listener


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _accept(listener: socket.socket, child: Subprocess) -> socket.socket:
    """The emulator's connection.

    Raises:
        BoardError: it ended, or did not connect in time.
    """
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while time.monotonic() < deadline:
        if ready(listener.fileno(), None, 0.02)[0]:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        if child.ended():
            said = child.stderr()
            hint = f"try it by hand: {' '.join(child.command)}"
            if "unsupported machine" in said:
                hint = "this QEMU does not know the board: 6.2 or later is needed"
            raise BoardError(f"{child.name} {child.fate()} at start", hint=hint, details=said)
    raise BoardError(
        f"{child.name} did not connect in {CONNECT_TIMEOUT_S:.0f} s",
        hint="is the machine overloaded?",
        details=child.stderr(),
    )
