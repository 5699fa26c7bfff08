"""Messages between an agent and those who use its boards: a line of JSON, then as many bytes as its "size" says."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from typing import Any

from harness.errors import TinyhilError
from harness.virtual.wire import Unpacker, pack

VERSION = 1
BEAT_S = 2.0
"""A holder says that often that it lives."""
DEAD_S = 10.0
"""Seconds of silence after which the other end is taken for dead."""
_SEND_TIMEOUT_S = 60.0
_MOST_BYTES = 96 << 20
_READ_SIZE = 1 << 18


class AgentConnection:
    """A connected stream socket that carries messages. Several threads may send(), one receive()."""

    def __init__(self, connected: socket.socket) -> None:
        """connected: closed by close()."""
        with contextlib.suppress(OSError):  # a pair of sockets has no such thing
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(_SEND_TIMEOUT_S)
        self._socket = connected
        self._unpacker = Unpacker()
        self._held = 0
        self._sending = threading.Lock()

    def fileno(self) -> int:
        """The descriptor to wait on; messages may be held already, so receive(0) comes first."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any], data: bytes = b"") -> None:
        """Sends a message. Raises OSError."""
        packed = pack(message, data)
        with self._sending:
            self._socket.sendall(packed)

    def receive(self, timeout_s: float) -> tuple[dict[str, Any], bytes] | None:
        """The next message; None when none has come in time.

        Raises:
            OSError: the other end is gone, or sends what is no message.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                message = self._unpacker.next()
            except (ValueError, TypeError, RecursionError) as error:
                raise ConnectionError(f"no message: {error}") from None
            if message is not None:
                self._held = max(self._held - len(message[1]), 0)
                return message
            left = max(deadline - time.monotonic(), 0.0)
            poll = select.poll()
            poll.register(self._socket.fileno(), select.POLLIN)
            if not poll.poll(left * 1000.0):
                return None
            data = self._socket.recv(_READ_SIZE)
            if not data:
                raise ConnectionError("the other end closed the connection")
            self._held += len(data)
            if self._held > _MOST_BYTES:
                raise ConnectionError("a message without end")
            self._unpacker.feed(data)

    def close(self) -> None:
        """Closes the socket; may be called again."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()


def error_message(error: TinyhilError) -> dict[str, Any]:
    """An error as an answer."""
    return {"error": error.code, "message": error.message, "hint": error.hint, "details": error.details[-16_000:]}


def raised(answer: dict[str, Any]) -> TinyhilError:
    """The error of an answer: of the class that has its code here, else a FarmError."""
    from harness.errors import FarmError

    kinds: dict[str, type[TinyhilError]] = {}
    pending = [TinyhilError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        kinds.setdefault(kind.code, kind)
    found = kinds.get(str(answer.get("error")), FarmError)
    message, hint, details = (str(answer.get(key, "")) for key in ("message", "hint", "details"))
    try:
        return found(message, hint=hint, details=details)
    except TypeError:  # it wants to know more than was sent
        return FarmError(message, hint=hint, details=details)
