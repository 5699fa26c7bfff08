"""QEMU's gdb stub, as far as running to a place and moving memory need it: GDB's remote serial protocol."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Mapping

from harness.boards.backends.qemu.peer import Peer
from harness.errors import BoardError

REPLY_TIMEOUT_S = 30.0
_PACKET = 4_096
"""Characters in a packet where the stub does not say how many it takes; QEMU 7 takes as many."""
_FRAME = 32
"""Characters of a packet that moves memory, besides two for each byte."""
_POLL_S = 1.0
_SIZE = re.compile(rb"PacketSize=([0-9a-fA-F]+)")
_CORE_REGISTERS = 16
SP, LR, PC = 13, 14, 15


class Gdb:
    """A connection to QEMU's gdb stub. The core stands still but in `run`."""

    def __init__(self, connection: socket.socket) -> None:
        """Takes over a connected socket. Raises BoardError if the peer does not speak the protocol."""
        self._peer = Peer(connection, "the emulator")
        told = _SIZE.search(self._exchange("qSupported:xmlRegisters=arm"))
        self._chunk = ((int(told[1], 16) if told else _PACKET) - _FRAME) // 2
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
        _check_stop(self._exchange("c", timeout_s))
        return self.registers()[PC]

    def go_on(self, registers: Mapping[int, int]) -> None:
        """Sets some of r0 to r15, and runs until a breakpoint, however long that takes. Raises BoardError."""
        commands = [_set(number, value) for number, value in registers.items()]
        self._send(*commands, "c")  # at once: the emulator takes its time for each
        for command in commands:
            self._expect_ok(command, self._reply(command))
        while (reply := self._packet(time.monotonic() + _POLL_S)) is None:
            pass
        _check_stop(reply)

    def registers(self) -> tuple[int, ...]:
        """r0 to r15. Raises BoardError."""
        data = _bytes(self._exchange("g"))
        if len(data) < 4 * _CORE_REGISTERS:
            raise BoardError(f"the emulator showed {len(data)} bytes of registers", hint="is it QEMU's gdb stub?")
        return struct.unpack(f"<{_CORE_REGISTERS}I", data[: 4 * _CORE_REGISTERS])

    def set_register(self, number: int, value: int) -> None:
        """Sets one of r0 to r15. Raises BoardError."""
        self._done(_set(number, value))

    def read_memory(self, address: int, length: int) -> bytes:
        """Memory as the core addresses it. Raises BoardError."""
        data = bytearray()
        while len(data) < length:
            size = min(length - len(data), self._chunk)
            part = _bytes(self._exchange(f"m{address + len(data):x},{size:x}"))
            if len(part) != size:
                raise BoardError(
                    f"the emulator has no memory at 0x{address + len(data):08x}", hint="this is a bug, please report it"
                )
            data += part
        return bytes(data)

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises BoardError."""
        for start in range(0, len(data), self._chunk):
            part = data[start : start + self._chunk]
            self._done(f"M{address + start:x},{len(part):x}:{part.hex()}")

    def close(self) -> None:
        """Closes the connection."""
        self._peer.close()

    def _done(self, command: str) -> None:
        self._expect_ok(command, self._exchange(command))

    @staticmethod
    def _expect_ok(command: str, reply: bytes) -> None:
        if reply != b"OK":
            raise BoardError(
                f"the emulator's gdb stub refused {command[:40]}: {reply[:40]!r}", hint="this is a bug, report it"
            )

    def _exchange(self, command: str, timeout_s: float = REPLY_TIMEOUT_S) -> bytes:
        self._send(command)
        return self._reply(command, timeout_s)

    def _send(self, *commands: str) -> None:
        """Sends commands. What was received before is acknowledged now: QEMU stops a running core for every byte."""
        packets = [b"$%s#%02x" % (content, sum(content) & 0xFF) for content in (c.encode("ascii") for c in commands)]
        self._peer.send(b"+" + b"".join(packets), REPLY_TIMEOUT_S)

    def _reply(self, command: str, timeout_s: float = REPLY_TIMEOUT_S) -> bytes:
        reply = self._packet(time.monotonic() + timeout_s)
        if reply is None:
            raise BoardError(
                f"the emulated core did not answer {command[:40]!r} in {timeout_s:.0f} s",
                hint="is the machine overloaded, or the model very large?",
            )
        return reply

    def _packet(self, deadline: float) -> bytes | None:
        """The content of the next packet; None where none came in time."""
        while True:
            received = self._peer.received
            start = received.find(b"$")
            end = received.find(b"#", start)
            if start >= 0 and end >= 0 and len(received) >= end + 3:
                content, self._peer.received = received[start + 1 : end], received[end + 3 :]
                return content
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._peer.receive(left)


def _set(number: int, value: int) -> str:
    return f"P{number:x}={struct.pack('<I', value).hex()}"


def _check_stop(reply: bytes) -> None:
    if not reply.startswith((b"T05", b"S05")):
        raise BoardError(f"the emulator stopped with {reply[:40]!r}", hint="is it QEMU's gdb stub?")


def _bytes(reply: bytes) -> bytes:
    """The bytes of a reply in hexadecimal; none where it is an error."""
    try:
        return bytes.fromhex(reply.decode("ascii"))
    except ValueError:
        return b""
