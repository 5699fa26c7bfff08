"""QEMU's machine protocol (QMP), as far as reading memory needs it."""

from __future__ import annotations

import json
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.boards.backends.qemu.peer import Peer
from harness.errors import BoardError

REPLY_TIMEOUT_S = 10.0


class Qmp:
    """A connection to QEMU's monitor."""

    def __init__(self, connection: socket.socket) -> None:
        """Takes over a connected socket. Raises BoardError if the peer does not speak QMP."""
        self._peer = Peer(connection, "the emulator's monitor")
        self._receive("QMP")
        self._ask("qmp_capabilities")

    def read_memory(self, address: int, length: int) -> bytes:
        """Memory as the core addresses it, with secure aliases; the core may run. Raises BoardError."""
        if length == 0:
            return b""
        with tempfile.TemporaryDirectory(prefix="tinyhil-") as folder:
            path = Path(folder) / "memory"
            self._ask("memsave", val=address, size=length, filename=str(path))
            data = path.read_bytes()
        if len(data) != length:
            raise BoardError(f"the emulator gave {len(data)} of {length} bytes of memory", hint="is the disk full?")
        return data

    def close(self) -> None:
        """Closes the connection."""
        self._peer.close()

    def _ask(self, command: str, **arguments: Any) -> Any:
        request = json.dumps({"execute": command, "arguments": arguments})
        self._peer.send(request.encode() + b"\r\n")
        return self._receive("return")

    def _receive(self, wanted: str) -> Any:
        """The next message with key `wanted`; events are skipped."""
        deadline = time.monotonic() + REPLY_TIMEOUT_S
        while True:
            line, found, rest = self._peer.received.partition(b"\n")
            if not found:
                self._fill(deadline)
                continue
            self._peer.received = rest
            try:
                message = json.loads(line)
            except ValueError as error:
                raise BoardError(f"the emulator's monitor sent {line[:80]!r}", hint="is it QEMU?") from error
            if "error" in message:
                raise BoardError(
                    f"the emulator's monitor refused: {message['error'].get('desc')}",
                    hint="this is a bug, please report it",
                )
            if wanted in message:
                return message[wanted]

    def _fill(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise BoardError(
                f"the emulator's monitor did not answer in {REPLY_TIMEOUT_S:.0f} s", hint="is the machine overloaded?"
            )
        self._peer.receive(left)
