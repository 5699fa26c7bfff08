"""Bytes over a child process's standard input and output: the host port, and semihosting."""

from __future__ import annotations

import contextlib
import os
from typing import IO

from harness.link.waiting import READ_SIZE, ready, stream_ended, write_all

# A program that floods us is read no faster than its bytes are used
_HELD_LIMIT = 4 * 1024 * 1024


class PipeTransport:
    """Two unbuffered pipes, as subprocess.Popen(bufsize=0) gives them."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        """reader: the child's stdout; writer: the child's stdin. Both are closed by close()."""
        self._reader = reader
        self._writer = writer
        self._in = reader.fileno()
        self._out = writer.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._held = bytearray()
        self._ended = False

    def write(self, data: bytes) -> None:
        """Send all of it."""
        write_all(data, self._in, self._out, self._send, self._receive)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        if not self._held and not self._ended and ready(self._in, None, timeout_s)[0]:
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
        return self._in

    def close(self) -> None:
        """Close both pipes."""
        self._ended = True
        for pipe in (self._writer, self._reader):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()

    def _send(self, data: memoryview) -> int:
        try:
            return os.write(self._out, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise stream_ended() from error

    def _receive(self) -> None:
        try:
            data = os.read(self._in, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            raise stream_ended() from error
        if not data:
            self._ended = True
            raise stream_ended()
        if len(self._held) < _HELD_LIMIT:
            self._held += data
