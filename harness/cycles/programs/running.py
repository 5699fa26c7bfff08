"""Runs a program's image on an emulated board until what is profiled ends: under QEMU, or on a virtual board."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.boards.backends.qemu.plugin import escape, plugin_library, plugin_loads
from harness.boards.backends.qemu.session import ICOUNT_SHIFT, PROGRAM, find_qemu, qemu_version
from harness.boards.backends.virtual.backend import is_installed, knows
from harness.build.progress import Progress
from harness.cycles import direct, replay
from harness.cycles.observers import PLUGIN
from harness.elf.symbols import Symbols
from harness.errors import BoardError, EmulatorMissingError, ProfileError
from harness.hardware.board import VIRTUAL, Board
from harness.link.subprocess import Subprocess
from harness.virtual.cpu import PC

if TYPE_CHECKING:
    from harness.virtual.machine import Machine

_SLICE = 250_000  # instructions
_PATIENCE_S = 0.05


@dataclass(frozen=True)
class TracedRun:
    """A run of a program.

    Attributes:
        elf: its image.
        board: that it was built for.
        points: file with the regions, see harness/cycles/native/tracer.h.
        trace: file to write; the paths of regions are written beside it, with the suffix ".paths".
        limit_s: seconds within which it must come to the end of what is profiled.
        what: is profiled, for messages.
        arguments: further ones for the emulator.
    """

    elf: Path
    board: Board
    points: Path
    trace: Path
    limit_s: float
    what: str
    arguments: tuple[str, ...] = ()

    @property
    def paths(self) -> Path:
        """The file with the paths of regions."""
        return self.trace.with_name(self.trace.name + ".paths")


class ProgramRunner(ABC):
    """Runs programs on boards of one backend.

    Attributes:
        emulator: the emulator's name.
    """

    emulator: ClassVar[str]

    @abstractmethod
    def version(self) -> str:
        """The emulator's version. Raises EmulatorMissingError."""

    @abstractmethod
    def run(self, run: TracedRun, progress: Progress | None = None) -> None:
        """Runs a program, and leaves the trace.

        Raises:
            ProfileError: it does not come to the end of what is profiled.
            BoardError: the emulator fails.
        """


class QemuRunner(ProgramRunner):
    """Under QEMU, which ends as soon as all is traced."""

    emulator = "QEMU"

    def version(self) -> str:
        """See base."""
        return qemu_version().rpartition(" (")[0].removeprefix("QEMU emulator version ")

    def run(self, run: TracedRun, progress: Progress | None = None) -> None:
        """See base."""
        plugin = plugin_library(replay.PACKAGE, PLUGIN)
        command = [
            str(find_qemu()), "-no-user-config", "-machine", str(run.board.machine), "-display", "none",
            "-monitor", "none", "-serial", "null", "-kernel", str(run.elf),
            "-icount", f"shift={ICOUNT_SHIFT},sleep=off", "-semihosting-config", "enable=on,target=native",
            "-plugin", f"{escape(plugin)},list={escape(run.points)},trace={escape(run.trace)}", *run.arguments,
        ]  # fmt: skip
        child = Subprocess(PROGRAM, command, pipes=False)
        try:
            end = time.monotonic() + run.limit_s
            while not child.ended(_PATIENCE_S):
                if time.monotonic() > end:
                    raise too_long(run)
                if progress:
                    progress("profile", 0, 0)
        finally:
            child.close()
        if not run.paths.exists():
            with plugin_loads("the profiler's plugin"):
                if "plugin" in child.stderr():
                    raise BoardError("QEMU did not start", hint="see its words", details=child.stderr())
            raise ProfileError(
                f"{run.elf.name} ended before {run.what} did ({PROGRAM} {child.fate()})",
                hint="is it built for this board, and are both ends of what is profiled reached?",
                details=child.stderr(),
            )


class VirtualRunner(ProgramRunner):
    """On the board's own chip, emulated, with what docs/virtual-board.md says is modelled."""

    emulator = "Unicorn"

    def version(self) -> str:
        """See base."""
        return direct.version()

    def run(self, run: TracedRun, progress: Progress | None = None) -> None:
        """See base."""
        from harness.virtual.machine import Machine
        from harness.virtual.wiring import wired

        machine = Machine(*wired(run.board.name))
        try:
            machine.load(run.elf)
            watcher = direct.Watcher(machine.cpu.engine, run.points, run.trace)
            machine.reset(cause="power")
            end = time.monotonic() + run.limit_s
            try:
                while not watcher.finished():
                    machine.step_slice(_SLICE)
                    machine.terminal.flush()
                    if machine.locked_up:
                        raise ProfileError(
                            f"{run.elf.name} locks up before {run.what} ends",
                            hint="it faults in its fault handler; is it built for this board?",
                            details=_whereabouts(run, machine),
                        )
                    if time.monotonic() > end:
                        raise too_long(run, _whereabouts(run, machine))
                    if machine.sleeping:
                        machine.wait([], _PATIENCE_S)
                    if progress:
                        progress(f"{machine.instructions / 1e6:,.0f} million instructions", 0, 0)
            finally:
                whole = watcher.close()
        finally:
            machine.close()
        if not whole:
            raise ProfileError("the trace cannot be written", hint="is there room on the disk?")


def _whereabouts(run: TracedRun, machine: Machine) -> str:
    at = machine.read_core(PC)
    place = Symbols(run.elf).at(at)
    return "\n".join((f"the core is at 0x{at:08x}, {place or 'no function'}", *machine.notes))


def too_long(run: TracedRun, details: str = "") -> ProfileError:
    """The error for a program that does not come to the end of what is profiled."""
    return ProfileError(
        f"{run.what} of {run.elf.name} did not end within {run.limit_s:g} s",
        hint="is it reached at all? --from and --to say what is profiled, --limit how long it may take",
        details=details,
    )


_RUNNERS: Mapping[str, ProgramRunner] = {"qemu": QemuRunner(), VIRTUAL: VirtualRunner()}


def runner_of(board: Board) -> ProgramRunner:
    """The runner for a board's own images.

    Raises:
        ProfileError: nothing emulates the board.
        EmulatorMissingError: its emulator is not installed.
    """
    own = _RUNNERS.get(board.backend)
    if own is not None:
        return own
    if not knows(board.chip):
        raise ProfileError(
            f"nothing emulates {board.name}, and a program runs on no other board than its own",
            hint="profile on a board with a virtual chip (`tinyhil boards`), or on one of QEMU's",
        )
    if not is_installed():
        raise EmulatorMissingError(
            f"a virtual {board.name} needs the package unicorn", hint="pip install 'tinyhil[virtual]'"
        )
    return _RUNNERS[VIRTUAL]
