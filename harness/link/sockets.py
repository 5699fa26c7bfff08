"""Bytes over a connected socket: an emulated UART."""

from __future__ import annotations

import contextlib
import socket
import time

from harness.link.waiting import READ_SIZE, ready, stream_ended, write_all

_HELD_LIMIT = 4 * 1024 * 1024
# An emulated UART sends every byte by itself; waking up for each would cost more than it brings
_GATHER_S = 0.0001


class SocketTransport:
    """A stream socket that is connected already; whoever connects it sets TCP_NODELAY at both ends."""

    def __init__(self, connected: socket.socket) -> None:
        """connected: closed by close()."""
        self._socket = connected
        self._socket.setblocking(False)
        self._held = bytearray()
        self._ended = False

    def write(self, data: bytes) -> None:
        """Send all of it."""
        descriptor = self._descriptor()
        write_all(data, descriptor, descriptor, self._send, self._receive)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        if not self._held and not self._ended and ready(self._descriptor(), None, timeout_s)[0]:
            if timeout_s > _GATHER_S:
                time.sleep(_GATHER_S)
            self._receive()
        if self._held:
            data = bytes(self._held)
            self._held.clear()
            return data
        if self._ended:
            raise stream_ended()
        return b""

    def fileno(self) -> int:
        """The descriptor to wait on; read(0) comes first, as bytes may be held already."""
        return self._descriptor()

    def close(self) -> None:
        """Close the socket."""
        self._ended = True
        with contextlib.suppress(OSError):
            self._socket.close()

    def _descriptor(self) -> int:
        descriptor = self._socket.fileno()
        if descriptor < 0:
            raise stream_ended()
        return descriptor

    def _send(self, data: memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise stream_ended() from error

    def _receive(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise stream_ended() from error
        if not data:
            self._ended = True
            raise stream_ended()
        if len(self._held) < _HELD_LIMIT:
            self._held += data
