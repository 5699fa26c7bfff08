"""QEMU's gdb stub, as far as running to a place and moving memory need it: GDB's remote serial protocol."""

from __future__ import annotations

import socket
import struct
import time

from harness.boards.backends.qemu.peer import Peer
from harness.errors import BoardError

REPLY_TIMEOUT_S = 30.0
_CHUNK = 2_000
"""Bytes of memory in a packet: QEMU takes packets of 4,096 characters, two for a byte."""
_CORE_REGISTERS = 16
SP, LR, PC = 13, 14, 15


class Gdb:
    """A connection to QEMU's gdb stub. The core stands still but in `run`."""

    def __init__(self, connection: socket.socket) -> None:
        """Takes over a connected socket. Raises BoardError if the peer does not speak the protocol."""
        self._peer = Peer(connection, "the emulator")
        self._exchange("qSupported:xmlRegisters=arm")
        self._exchange("qXfer:features:read:target.xml:0,ffb")  # until then no single register can be set

    def set_breakpoint(self, address: int) -> None:
        """The core will stop before it executes this Thumb instruction. Raises BoardError."""
        self._done(f"Z0,{address:x},2")

    def remove_breakpoint(self, address: int) -> None:
        """The core will not stop there. Raises BoardError."""
        self._done(f"z0,{address:x},2")

    def run(self, timeout_s: float) -> int:
        """Runs until a breakpoint; a core that stands at one leaves it first.

        Returns:
            The address of the instruction that comes next.

        Raises:
            BoardError: no breakpoint was reached in time.
        """
        self._exchange("s")
        reply = self._exchange("c", timeout_s)
        if not reply.startswith((b"T05", b"S05")):
            raise BoardError(f"the emulator stopped with {reply[:40]!r}", hint="is it QEMU's gdb stub?")
        return self.registers()[PC]

    def registers(self) -> tuple[int, ...]:
        """r0 to r15. Raises BoardError."""
        data = _bytes(self._exchange("g"))
        if len(data) < 4 * _CORE_REGISTERS:
            raise BoardError(f"the emulator showed {len(data)} bytes of registers", hint="is it QEMU's gdb stub?")
        return struct.unpack(f"<{_CORE_REGISTERS}I", data[: 4 * _CORE_REGISTERS])

    def set_register(self, number: int, value: int) -> None:
        """Sets one of r0 to r15. Raises BoardError."""
        self._done(f"P{number:x}={struct.pack('<I', value).hex()}")

    def read_memory(self, address: int, length: int) -> bytes:
        """Memory as the core addresses it. Raises BoardError."""
        data = bytearray()
        while len(data) < length:
            size = min(length - len(data), _CHUNK)
            part = _bytes(self._exchange(f"m{address + len(data):x},{size:x}"))
            if len(part) != size:
                raise BoardError(
                    f"the emulator has no memory at 0x{address + len(data):08x}", hint="this is a bug, please report it"
                )
            data += part
        return bytes(data)

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises BoardError."""
        for start in range(0, len(data), _CHUNK):
            part = data[start : start + _CHUNK]
            self._done(f"M{address + start:x},{len(part):x}:{part.hex()}")

    def close(self) -> None:
        """Closes the connection."""
        self._peer.close()

    def _done(self, command: str) -> None:
        reply = self._exchange(command)
        if reply != b"OK":
            raise BoardError(
                f"the emulator's gdb stub refused {command[:40]}: {reply[:40]!r}", hint="this is a bug, report it"
            )

    def _exchange(self, command: str, timeout_s: float = REPLY_TIMEOUT_S) -> bytes:
        content = command.encode("ascii")
        self._peer.send(b"$%s#%02x" % (content, sum(content) & 0xFF), REPLY_TIMEOUT_S)
        return self._packet(time.monotonic() + timeout_s, command, timeout_s)

    def _packet(self, deadline: float, command: str, timeout_s: float) -> bytes:
        while True:
            received = self._peer.received
            start = received.find(b"$")
            end = received.find(b"#", start)
            if start >= 0 and end >= 0 and len(received) >= end + 3:
                content, self._peer.received = received[start + 1 : end], received[end + 3 :]
                self._peer.send(b"+", REPLY_TIMEOUT_S)
                return content
            left = deadline - time.monotonic()
            if left <= 0:
                raise BoardError(
                    f"the emulated core did not answer {command[:40]!r} in {timeout_s:.0f} s",
                    hint="is the machine overloaded, or the model very large?",
                )
            self._peer.receive(left)


def _bytes(reply: bytes) -> bytes:
    """The bytes of a reply in hexadecimal; none where it is an error."""
    try:
        return bytes.fromhex(reply.decode("ascii"))
    except ValueError:
        return b""
