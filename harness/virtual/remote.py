"""A virtual board in a process of its own: the client."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import BoardError, BoardLostError
from harness.link.subprocess import Subprocess
from harness.resources import has_package
from harness.virtual import wire
from harness.virtual.cpu import missing

ANSWER_TIMEOUT_S = 20.0
_READ_SIZE = 1 << 20


SLOW = (
    "the virtual board counts instructions without its native helper and is some twenty times slower: "
    "install a C compiler (gcc or clang)"
)


class RemoteBusError(Exception):
    """An access to an address without memory or peripheral."""


class RemoteMachine:
    """Starts a virtual board's process, sends requests to it, and ends it.

    Attributes:
        child: the process.
        port: path of its serial port.
        native: whether native code is used; otherwise it is slow.
        debug_port, access_port: DPIDR of the debug port and IDR of its first access port.
        control_port: IDR of the second, 0 where there is none.
    """

    def __init__(self, board: str, *, flash_file: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Powers on; the image in the flash runs.

        Args:
            board: its name in boards.yaml.
            flash_file: keeps the flash's contents; None: the flash is erased at first, and not kept.
            env: environment variables for the process in addition to this one's.

        Raises:
            EmulatorMissingError: the emulator's package is not installed.
            BoardError: it does not start.
        """
        if not has_package("unicorn"):
            raise missing()
        command = [sys.executable, "-m", "harness.virtual", board, "--wire"]
        if flash_file is not None:
            command += ["--flash", str(flash_file)]
        path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
        self.child = Subprocess("the virtual board", command, pipes=True, env={"PYTHONPATH": path, **(env or {})})
        self._source, self._sink = self.child.stdout.fileno(), self.child.stdin
        self._unpacker = wire.Unpacker()
        try:
            state = self.state()
        except BoardLostError as error:
            self.child.ended(1.0)
            said = self.child.stderr()
            self.close()
            last = said.strip().rpartition("\n")[2]
            raise BoardError(
                f"the virtual board for {board} does not start: {last}",
                hint="the details show what it said",
                details=said,
            ) from error
        except BaseException:
            self.close()
            raise
        self.port = str(state["port"])
        self.native = bool(state["native"])
        self.debug_port, self.access_port = int(state["debug_port"]), int(state["access_port"])
        self.control_port = int(state["control_port"])

    def read(self, address: int, length: int) -> bytes:
        """Reads memory or registers as a debugger. Raises RemoteBusError, BoardLostError."""
        return self._ask({"do": "read", "at": address, "length": length})[1] if length else b""

    def write(self, address: int, data: bytes) -> None:
        """Writes memory or registers as a debugger. Raises RemoteBusError, BoardLostError."""
        if data:
            self._ask({"do": "write", "at": address}, data)

    def load(self, elf: Path) -> None:
        """Writes an image into memory without the flash controller. Raises BoardError."""
        self._ask({"do": "load", "elf": str(elf.resolve())})

    def reset(self, *, halt: bool = False) -> None:
        """Resets by the reset pin."""
        self._ask({"do": "reset", "halt": halt})

    def hold(self, held: bool) -> None:
        """Asserts or releases the reset pin."""
        self._ask({"do": "hold", "held": held})

    def inject(self, fault: str) -> None:
        """Injects a fault, see harness.virtual.faults."""
        self._ask({"do": "fault", "fault": fault})

    def state(self) -> dict[str, Any]:
        """The machine's state: "instructions", "halted", "notes", ..."""
        return self._ask({"do": "state"})[0]

    def notes(self) -> tuple[str, ...]:
        """A note if it is slow, and those of Machine.notes as long as the process runs."""
        slow = () if self.native else (SLOW,)
        with contextlib.suppress(BoardError):
            return (*slow, *self.state()["notes"])
        return slow

    def close(self) -> None:
        """Powers off."""
        self.child.close()

    def _ask(self, request: dict[str, Any], data: bytes = b"") -> tuple[dict[str, Any], bytes]:
        try:
            view = memoryview(wire.pack(request, data))
            while view:
                view = view[self._sink.write(view) or 0 :]
            answer, content = self._answer(time.monotonic() + ANSWER_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise self._gone(str(error)) from error
        if "error" not in answer:
            return answer, content
        if answer["error"] == "bus":
            raise RemoteBusError(str(answer["text"]))
        raise BoardError(str(answer["text"]), hint=str(answer.get("hint") or "this is a bug, please report it"))

    def _answer(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        while True:
            message = self._unpacker.next()
            if message is not None:
                return message
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._source], [], [], left)[0]:
                raise BoardError(
                    f"the virtual board did not answer in {ANSWER_TIMEOUT_S:.0f} s", hint="is the machine overloaded?"
                )
            data = os.read(self._source, _READ_SIZE)
            if not data:
                raise self._gone("")
            self._unpacker.feed(data)

    def _gone(self, why: str) -> BoardLostError:
        self.child.ended(1.0)
        return BoardLostError(
            f"the virtual board {self.child.fate()}" + (f" ({why})" if why else ""),
            hint="the details show what it said last; run it again",
            details=self.child.stderr(),
        )
