"""Emulated boards: QEMU's system emulator."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

from harness.boards.backends.qemu.gdb import Gdb
from harness.boards.backends.qemu.npu import EmulatedNpu, npu_hooks
from harness.boards.backends.qemu.qmp import Qmp
from harness.boards.channels import CONNECT_TIMEOUT_S, OPEN_NOTE, Channel, Channels
from harness.boards.programs import named_program
from harness.boards.session import ProgramSession
from harness.build.image import Image
from harness.errors import EmulatorMissingError, TinyhilError
from harness.ethosu.device import NpuRun
from harness.hardware.board import Resolved
from harness.link.subprocess import Subprocess
from harness.link.transport import PipeTransport, SocketTransport, Transport
from harness.units import Unit

VARIABLE = "TINYHIL_QEMU"
PROGRAM = "qemu-system-arm"

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
        self._channels = Channels()
        self._monitor: Channel | None = None
        self._qmp: Qmp | None = None
        self._npu: EmulatedNpu | None = None
        self._hooks = npu_hooks(image.elf)

    def load(self) -> None:
        """Starts the emulator with the image, which runs at once.

        Raises:
            EmulatorMissingError: QEMU is not installed.
            BoardError: it ended or did not connect.
        """
        self._end()
        program = find_qemu()
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._channels.close)
            monitor = self._channels.listen("qmp")
            command = [
                str(program), "-no-user-config", "-machine", str(self.ran_on.machine), "-display", "none",
                "-monitor", "none", "-kernel", str(self.image.elf),
                "-chardev", f"socket,id=qmp,{monitor.option}", "-mon", "chardev=qmp,mode=control",
            ]  # fmt: skip
            if self._icount:
                command += ["-icount", f"shift={ICOUNT_SHIFT}" + (",sleep=off" if self._hooks else "")]
            gdb = None
            if self._hooks is not None:
                gdb = self._channels.listen("gdb")
                command += ["-S", "-chardev", f"socket,id=gdb,{gdb.option}", "-gdb", "chardev:gdb"]
            command += self._arguments
            uart = None
            if self.image.link == "uart":
                uart = self._channels.listen("link")
                command += ["-chardev", f"socket,id=link,{uart.option}", "-serial", "chardev:link"]
            else:
                command += ["-serial", "null", "-semihosting-config", "enable=on,target=native"]
            child = Subprocess(PROGRAM, command, pipes=uart is None)
            self._child = child
            if uart is None:
                inner: Transport = PipeTransport(child.stdout, child.stdin)
            else:
                inner = SocketTransport(uart.accept(child, CONNECT_TIMEOUT_S))
            self._stream = self._watch(inner, child)
            self._monitor = monitor
            if gdb is not None and self._hooks is not None:
                stub = Gdb(gdb.accept(child, CONNECT_TIMEOUT_S))
                self._npu = EmulatedNpu(stub, self._hooks, self.ran_on, child.close)
                self._npu.start()
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
            self._qmp = Qmp(self._monitor.accept(self._child, CONNECT_TIMEOUT_S))
        return self._qmp.read_memory(address, length)

    def npu_runs(self) -> tuple[NpuRun, ...]:
        """See base."""
        return () if self._npu is None else tuple(self._npu.runs)

    def explanation(self, error: TinyhilError) -> TinyhilError | None:
        """See base."""
        known = None if self._npu is None else self._npu.take_problem()
        return super().explanation(error) if known is None else known

    def notes(self) -> tuple[str, ...]:
        """That others of this machine could reach the emulator, where they could."""
        return (*super().notes(), OPEN_NOTE) if self._channels.open_to_others else super().notes()

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
        if self._qmp is not None:
            with contextlib.suppress(OSError):
                self._qmp.close()
        if self._npu is not None:
            self._npu.close()
        self._channels.close()
        self._qmp = self._monitor = self._npu = None
