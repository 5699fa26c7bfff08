"""Arm's Fixed Virtual Platforms: models of whole systems, by UART over a socket.

An FVP ends with status 0 whether the program succeeded or not, so its status is not used. Its time is that of a model
(one instruction per cycle, devices updated now and then): neither cycles nor a number of instructions, and shown as
neither.
"""

from __future__ import annotations

import re
import shutil
import socket
import time
from fractions import Fraction
from pathlib import Path

from harness.boards.programs import named_program
from harness.boards.session import ProgramSession
from harness.boards.tcp import process_tree, sockets_of, tcp_sockets
from harness.build.image import Image
from harness.errors import BoardError, EmulatorLicenseError, EmulatorMissingError
from harness.hardware.board import Board, Resolved
from harness.link.subprocess import Subprocess
from harness.link.transport import SocketTransport
from harness.units import Unit

VARIABLE = "TINYHIL_FVP"
START_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0

_PORT = re.compile(r"telnetterminal0: Listening for serial connection on port (\d+)")
_LICENSE = re.compile(r"^.*\b(?:licen[cs]e|flexnet|flexlm|armlmd|armlm)\b.*$", re.IGNORECASE | re.MULTILINE)
_FAILED = re.compile(r"fail|error|denied|expired|not |no |cannot|unable|invalid", re.IGNORECASE)
_LIBRARY = re.compile(r"^.*(?:shared librar|shared object|libpython|\.so\b).*$", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(r"^.*\bparameters?\b.*$", re.IGNORECASE | re.MULTILINE)
_LIMIT = re.compile(r"Simulation is stopping\. Reason: .*(?:limit|time)", re.IGNORECASE)
_STATISTICS = re.compile(r"^--- (\S+) statistics: -+$(.*?)^-{20,}$", re.DOTALL | re.MULTILINE)


def find_fvp(board: Board) -> Path:
    """The program of a board's FVP: $TINYHIL_FVP, then its name on PATH.

    Raises:
        EmulatorMissingError: it is in neither place.
    """
    named = named_program(VARIABLE)
    if named is not None:
        return named
    program = shutil.which(str(board.machine))
    if program is None:
        raise EmulatorMissingError(
            f"no {board.machine} on PATH",
            hint=f"install it from developer.arm.com (Arm Ecosystem FVPs) and put it on PATH, or set {VARIABLE}"
            + (f"; --board {board.stand_in} runs the same core" if board.stand_in else ""),
        )
    return Path(program)


class _Model(Subprocess):
    """The running FVP; its stdout and stderr are kept in one text."""

    def __init__(self, board: Board, command: list[str]) -> None:
        super().__init__(str(board.machine), command, pipes=False, console=True)
        self._time_limit = board.time_limit

    def fate(self) -> str:
        """How it ended, in words; without its exit status, which is always 0."""
        if not self.ended():
            return "is still running"
        if _LIMIT.search(self.stderr()):
            return f"came to the end of its {self._time_limit} simulated seconds (time_limit in boards.yaml) and ended"
        return "ended"

    def port(self) -> int:
        """The TCP port of the first UART: the requested one, or another if that was in use.

        Raises:
            EmulatorLicenseError: it has no license.
            BoardError: it ended, or did not print its port in time.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            over = self.ended(0.02)  # before stderr(), so that all output of an ended process is read
            said = self.stderr()
            found = _PORT.search(said)
            if found and not over:
                return int(found[1])
            if over:
                raise self._start_failure(said)
            if time.monotonic() > deadline:
                raise self._start_failure(said, silent=True)

    def _start_failure(self, said: str, silent: bool = False) -> BoardError | EmulatorLicenseError:
        by_hand = f"try it by hand: {' '.join(self.command)}"
        licensing = [line.strip() for line in _LICENSE.findall(said) if _FAILED.search(line)]
        if licensing:
            return EmulatorLicenseError(
                f"{self.name} has no license: {licensing[0]}",
                hint="Arm's Ecosystem FVPs need none; for others set ARMLMD_LICENSE_FILE or activate a license",
                details=said,
            )
        if silent:
            return BoardError(
                f"{self.name} did not open the port of its first UART in {START_TIMEOUT_S:.0f} s",
                hint="`arguments` in boards.yaml must leave telnetterminal0 on, not quiet; " + by_hand,
                details=said,
            )
        hint = by_hand
        if line := _LIBRARY.search(said):
            hint = f"it lacks a library ({line[0].strip()}): set LD_LIBRARY_PATH and PYTHONHOME as its manual says"
        elif line := _PARAMETER.search(said):
            hint = f"correct `arguments` of the board in boards.yaml for this FVP ({line[0].strip()})"
        return BoardError(f"{self.name} {self.fate()} at start", hint=hint, details=said)


class FvpSession(ProgramSession):
    """An image on an FVP."""

    def __init__(self, resolved: Resolved, image: Image) -> None:
        super().__init__(resolved, image)
        self._notes: tuple[str, ...] = ()
        self._open: tuple[str, ...] = ()

    def load(self) -> None:
        """Starts the model with the image, which runs at once.

        Raises:
            EmulatorMissingError: the FVP is not installed.
            EmulatorLicenseError: it has no license.
            BoardError: it ended, or did not open its port.
        """
        self._end()
        board = self.ran_on
        command = [str(find_fvp(board)), "-a", str(self.image.elf), *board.arguments]
        self._child = child = _Model(board, [*command, "--simlimit", str(board.time_limit)])
        port = child.port()
        if any(each.listens and not each.loopback for each in tcp_sockets() if each.port == port):
            self._open = (f"{child.name} listens at port {port} of all networks of this machine: `tinyhil docs fvp`",)
        self._stream = self._watch(SocketTransport(connect(port, child)), child)

    def reset(self) -> None:
        """Starts a new model."""
        self.load()

    def read_memory(self, address: int, length: int) -> bytes:
        """Raises BoardError: an FVP's memory can only be read by Arm's debugger."""
        raise BoardError(
            f"the memory of {self.ran_on.name} cannot be read from outside",
            hint=f"use --board {self.ran_on.stand_in or 'mps3-an547'} for that",
        )

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """None: an FVP's time is neither cycles nor instructions."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Who else could reach the model, if not this machine alone, and, after it has ended, its statistics."""
        return (*self._open, *self._notes)

    def close(self) -> None:
        """Ends the model; by a signal to stop at first, upon which it prints its statistics."""
        self._end()

    def _end(self) -> None:
        child = self._child
        if child is not None and self._stream is not None:
            child.interrupt()
            child.ended(STOP_TIMEOUT_S)
        if child is not None:
            child.close()
            self._notes = statistics(child.stderr())
        self._close_stream()


def statistics(said: str) -> tuple[str, ...]:
    """The block that an FVP prints at its end with --stat, as a note for the report; empty without one."""
    found = _STATISTICS.search(said)
    if found is None:
        return ()
    parts = []
    for line in found[2].splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            parts.append(f"{name.strip().rpartition('.')[2]} {' '.join(value.split())}")
    return (f"{found[1]} says of its whole run, which is no measurement of the model: {', '.join(parts)}",)


def connect(port: int, child: Subprocess) -> socket.socket:
    """A connection to the model's terminal, which is the only one. Raises BoardError."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_TIMEOUT_S)
        except OSError as error:
            if child.ended() or time.monotonic() > deadline:
                raise BoardError(
                    f"{child.name} does not answer at its port {port}: {error.strerror or error}",
                    hint="does another program use the port, or a firewall forbid 127.0.0.1?",
                    details=child.stderr(),
                ) from error
            time.sleep(0.05)
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            _check_alone(port, connection.getsockname()[1], child)
        except BoardError:
            connection.close()
            raise
        return connection


def _check_alone(port: int, ours: int, child: Subprocess) -> None:
    """Checks, where the system tells, that the port is the model's and that our connection is its first and only one.

    An FVP's terminal is an open TCP port: any process of the machine may have connected to it before us.

    Raises:
        BoardError: the port is another process's, or another process is connected to it.
    """
    at_port = [each for each in tcp_sockets() if each.port == port and (each.listens or each.connected)]
    others = [each for each in at_port if each.connected and each.peer_port != ours]
    if others:
        raise BoardError(
            f"another process is connected to port {port} of {child.name}",
            hint="end it; on a machine that others use, an FVP's port is open to all of them: `tinyhil docs fvp`",
        )
    models = sockets_of(process_tree(child.pid))  # none where a sandbox hides them
    if at_port and models and not any(each.port == port for each in models):
        raise BoardError(
            f"port {port} is another process's, not the one that {child.name} says it has opened",
            hint="end that process, or run again: the FVP takes the next free port",
        )
