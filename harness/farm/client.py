"""A worker's end of a hold: requests to the agent, and the bytes of the device's link."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shlex
import socket
import subprocess
import threading
import time
from typing import Any

from harness.errors import BoardLostError, FarmLostError
from harness.farm.wire import BEAT_S, VERSION, AgentConnection, raised

SSH_VARIABLE = "TINYHIL_SSH"
_CONNECT_S = 10.0
_REQUEST_S = 180.0  # flashing through a slow probe


def reach(host: str, port: int) -> AgentConnection:
    """A connection to an agent: over loopback on this host, else through SSH to its host, where it is on loopback.

    Raises:
        FarmLostError: it is not reached.
    """
    try:
        if is_here(host):
            return AgentConnection(socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_S))
        ours, theirs = socket.socketpair()
        with theirs:
            command = [*shlex.split(os.environ.get(SSH_VARIABLE, "ssh -o BatchMode=yes -o ConnectTimeout=10"))]
            command += ["-W", f"127.0.0.1:{port}", host]
            tunnel = subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL)
        threading.Thread(target=tunnel.wait, daemon=True).start()  # it ends with the connection
        return AgentConnection(ours)
    except OSError as error:
        how = "is its agent running?" if is_here(host) else f"does `ssh {host}` work without a password?"
        why = error.strerror or error
        raise FarmLostError(f"the agent at {host}:{port} is not reached: {why}", hint=how) from error


def is_here(host: str) -> bool:
    """Whether a host's name or address is this one's."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host in ("localhost", socket.gethostname(), socket.getfqdn())


def ask_agent(host: str, port: int, do: str, **arguments: Any) -> dict[str, Any]:
    """The answer of an agent to a request that holds no board: status, quarantine, release, end, trouble.

    Raises:
        FarmLostError: it is not reached, or does not answer.
        FarmError: it refuses.
    """
    connection = reach(host, port)
    try:
        connection.send({"do": do, "version": VERSION, **arguments})
        answer = connection.receive(_CONNECT_S)
    except (OSError, ValueError) as error:
        raise _lost(f"{host}:{port}", str(error)) from error
    finally:
        connection.close()
    if answer is None:
        raise _lost(f"{host}:{port}", "no answer in time")
    if "error" in answer[0]:
        raise raised(answer[0])
    return answer[0]


class Holding:
    """A board that an agent lets us use; close() gives it back.

    Attributes:
        board: its name in the farm.
        facts: of the board that runs, as harness.farm.hold.Hold.facts gives them.
    """

    def __init__(self, host: str, port: int, board: str, owner: str) -> None:
        """Asks for the board.

        Raises:
            LeasedError: somebody holds it, or it is in quarantine.
            FarmLostError: the agent is not reached.
            TinyhilError: the agent cannot use the board.
        """
        self.board = board
        self._where = f"{host}:{port}"
        self._connection = reach(host, port)
        self._number = 0
        self._bytes = bytearray()
        self._lost: BoardLostError | None = None
        self._gone = ""
        self._over = threading.Event()
        try:
            self._connection.send({"do": "hold", "board": board, "owner": owner, "version": VERSION})
            answer = self._connection.receive(_REQUEST_S)
        except (OSError, ValueError) as error:
            self.close()
            raise _lost(self._where, str(error)) from error
        if answer is None or "error" in answer[0]:
            self.close()
            raise _lost(self._where, "no answer in time") if answer is None else raised(answer[0])
        self.facts = answer[0]
        threading.Thread(target=self._beat, name=f"tinyhil-beat-{board}", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the agent still holds the board for us, as far as we have heard."""
        if not self._gone:
            with contextlib.suppress(BoardLostError):
                self._pump(0.0)
        return not self._gone

    def ask(self, do: str, data: bytes = b"", **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """(answer, bytes) to a request.

        Raises:
            BoardLostError: the agent is gone.
            TinyhilError: it reports an error.
        """
        self._number += 1
        if do in ("load", "reset", "unload"):  # what comes from now on is of the new start
            self._lost = None
        self._send({"do": do, "id": self._number, **arguments}, data)
        deadline = time.monotonic() + _REQUEST_S
        while True:
            answer = self._pump(deadline - time.monotonic())
            if answer is not None and answer[0].get("id") == self._number:
                if do in ("load", "reset", "unload"):
                    self._bytes.clear()
                if "error" in answer[0]:
                    raise raised(answer[0])
                return answer
            if time.monotonic() >= deadline:
                raise self._is_gone("no answer in time")

    def write(self, data: bytes) -> None:
        """Sends bytes to the device. Raises BoardLostError."""
        if self._lost is not None:
            raise self._lost
        self._send({"do": "write"}, data)

    def read(self, timeout_s: float) -> bytes:
        """What the device has sent, waiting for it no longer than so many seconds; b"" when nothing has come.

        Raises:
            BoardLostError: the board, or its agent, is gone.
        """
        deadline = time.monotonic() + timeout_s
        while not self._bytes:
            if self._lost is not None:
                raise self._lost
            left = deadline - time.monotonic()
            self._pump(max(left, 0.0))
            if left <= 0:
                break
        found = bytes(self._bytes)
        self._bytes.clear()
        return found

    def close(self) -> None:
        """Gives the board back; may be called again."""
        self._over.set()
        self._connection.close()

    def _pump(self, timeout_s: float) -> tuple[dict[str, Any], bytes] | None:
        """Takes one message in: returns an answer, keeps the device's bytes."""
        if self._gone:
            raise self._is_gone(self._gone)
        try:
            message = self._connection.receive(max(timeout_s, 0.0))
        except (OSError, ValueError) as error:
            raise self._is_gone(str(error)) from error
        if message is None:
            return None
        event = message[0].get("event")
        if event == "bytes":
            self._bytes += message[1]
        elif event == "lost":
            told = raised(message[0])
            as_lost = BoardLostError(told.message, hint=told.hint, details=told.details)
            self._lost = told if isinstance(told, BoardLostError) else as_lost
        else:
            return message
        return None

    def _send(self, message: dict[str, Any], data: bytes) -> None:
        try:
            self._connection.send(message, data)
        except (OSError, ValueError) as error:
            raise self._is_gone(str(error)) from error

    def _beat(self) -> None:
        """Says every few seconds that we live."""
        while not self._over.wait(BEAT_S):
            try:
                self._connection.send({"do": "beat"})
            except (OSError, ValueError) as error:
                self._gone = str(error)
                return

    def _is_gone(self, why: str) -> BoardLostError:
        self._gone = why or "gone"
        return BoardLostError(
            f"the agent of board {self.board} at {self._where} is gone: {self._gone}",
            hint="`tinyhil farm status` shows which boards are there; run it again",
        )


def _lost(where: str, why: str) -> FarmLostError:
    return FarmLostError(f"the agent at {where} does not answer: {why}", hint="is its agent running, and reached?")
