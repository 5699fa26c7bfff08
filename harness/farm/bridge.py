"""Our side of the process that runs in labgrid's environment and holds a session with its coordinator."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

from harness.errors import FarmError, FarmFullError, FarmLostError
from harness.farm.environment import bridge_command
from harness.link.subprocess import Subprocess
from harness.link.waiting import ready

ANSWER_TIMEOUT_S = 45.0
_RECONNECT_S = 0.5
_READ_SIZE = 1 << 16
_MOST_BYTES = 64 << 20
_ERRORS = {"lost": FarmLostError, "dead": FarmLostError, "timeout": FarmFullError}


class DeadBoardError(FarmLostError):
    """The exporter of the board that the coordinator gave us is gone."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the exporter of board {place} is gone, though its place is there", hint="start its agent again"
        )
        self.place = place


class Bridge:
    """A session with a coordinator under a name of its own; may be used from several threads, one request at a time.

    Attributes:
        address: HOST:PORT of the coordinator.
        name: what our leases are held by.
    """

    def __init__(self, address: str, name: str, *, wait_s: float = 0.0) -> None:
        """Starts the process and the session.

        Args:
            address: HOST:PORT of the coordinator.
            name: what our leases are held by, unlike any other.
            wait_s: seconds to wait for a coordinator that may be starting.

        Raises:
            LabgridMissingError: there is no environment with labgrid.
            FarmLostError: the coordinator is not reached.
        """
        self.address = address
        self.name = name
        self._lock = threading.RLock()
        self._number = 0
        self._buffer = b""
        self._child: Subprocess | None = None
        try:
            self.reconnect(wait_s)
        except BaseException:
            self.close()
            raise

    def connect(self) -> None:
        """Starts the session anew. Raises FarmLostError."""
        self.ask("connect", address=self.address, name=self.name)

    def reconnect(self, wait_s: float) -> None:
        """The same, for a coordinator that may be starting. Raises FarmLostError after `wait_s` seconds."""
        deadline = time.monotonic() + wait_s
        while True:
            try:
                return self.connect()
            except FarmLostError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_RECONNECT_S)

    def ask(self, do: str, *, within_s: float = ANSWER_TIMEOUT_S, **arguments: Any) -> dict[str, Any]:
        """The answer to a request, see labgrid_bridge.py.

        Raises:
            FarmLostError: the coordinator is gone: connect() again.
            DeadBoardError: the board's exporter is.
            FarmFullError: it took too long.
            FarmError: it was refused.
        """
        with self._lock:
            self._number += 1
            request = json.dumps({"id": self._number, "do": do, **arguments}).encode() + b"\n"
            child = self._running()
            try:
                view = memoryview(request)
                while view:
                    view = view[child.stdin.write(view) or 0 :]
                found = self._answer(child, time.monotonic() + within_s)
            except (OSError, ValueError) as error:
                self.close()
                raise FarmLostError(
                    f"the bridge to labgrid {child.fate()}: {error}",
                    hint="the details show what it said",
                    details=child.stderr(),
                ) from error
        return _checked(found, self.address)

    def _running(self) -> Subprocess:
        if self._child is None or self._child.ended():
            self._buffer = b""
            self._child = Subprocess("the bridge to labgrid", bridge_command(), pipes=True)
        return self._child

    def _answer(self, child: Subprocess, deadline: float) -> Mapping[str, Any]:
        """The answer to the last request; answers to others, which nobody waits for any more, are dropped."""
        descriptor = child.stdout.fileno()
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                message = json.loads(line)
                if message.get("id") == self._number:
                    return dict(message)
                continue
            if not ready(descriptor, None, deadline - time.monotonic())[0]:
                raise ValueError("no answer in time")
            data = os.read(descriptor, _READ_SIZE)
            if not data or len(self._buffer) > _MOST_BYTES:
                child.ended(1.0)
                raise ValueError("it closed its output")
            self._buffer += data

    def close(self) -> None:
        """Ends the process; may be called again."""
        child, self._child = self._child, None
        if child is not None:
            child.close()


def _checked(answer: Mapping[str, Any], address: str) -> dict[str, Any]:
    kind = answer.get("error")
    if kind is None:
        return dict(answer)
    text = str(answer.get("text", ""))
    if kind == "dead":
        raise DeadBoardError(text)
    if kind == "lost":
        raise FarmLostError(
            text, hint=f"does `labgrid-coordinator` run there, and is {address} reached from this host?"
        )
    raise _ERRORS.get(str(kind), FarmError)(
        f"the coordinator at {address}: {text}", hint="`tinyhil farm status` shows boards, leases and the queue"
    )
