"""What speaks to us out of QEMU over a socket: its monitor, its gdb stub."""

from __future__ import annotations

import os
import socket

from harness.errors import BoardLostError

_READ_SIZE = 65_536


class Peer:
    """A connected socket, and what has come over it.

    Attributes:
        received: bytes that nobody has taken yet.
    """

    def __init__(self, connection: socket.socket, what: str) -> None:
        """Takes over a connected socket; `what` is at its other end, for errors."""
        self.received = b""
        self._socket = connection
        self._what = what

    def send(self, data: bytes, timeout_s: float | None = None) -> None:
        """Sends all of it; with the timeout that is set already where none is given. Raises BoardLostError."""
        try:
            if timeout_s is not None:
                self._socket.settimeout(timeout_s)
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone(error) from error

    def receive(self, timeout_s: float) -> None:
        """Waits for more, no longer than that. Raises BoardLostError."""
        try:
            self._socket.settimeout(timeout_s)
            data = self._socket.recv(_READ_SIZE)
        except TimeoutError:
            return
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        self.received += data

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def _gone(self, error: OSError | None) -> BoardLostError:
        reason = f": {os.strerror(error.errno)}" if error is not None and error.errno else ""
        return BoardLostError(f"{self._what} went away{reason}", hint="run it again")
