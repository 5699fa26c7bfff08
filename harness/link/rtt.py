"""Bytes through a debug probe: two ring buffers in the device's RAM, as SEGGER's RTT lays them out.

The control block: 16 bytes of identification, u32 number of up-buffers, u32 number of down-buffers, then a descriptor
of six u32 for each: name, address, size, write offset, read offset, flags. The writer of a ring moves the write offset,
its reader the read offset; equal offsets mean empty, so a ring holds one byte less than its size.
"""

from __future__ import annotations

import time
from typing import Protocol

from harness.errors import BoardError, BoardLostError
from harness.link.limits import LEAST_RATE

IDENTIFICATION = b"SEGGER RTT".ljust(16, b"\0")
SYMBOL = "_SEGGER_RTT"
WRITE_TIMEOUT_S = 30.0
START_TIMEOUT_S = 3.0
_UP, _DOWN = 24, 48
_WRITE_OFFSET, _READ_OFFSET = 12, 16
_LARGEST = 1 << 20
_NAP_S = 0.0005
# A device that floods us is read no faster than its bytes are used
_HELD_LIMIT = 4 * 1024 * 1024


class MemoryAccess(Protocol):
    """The device's memory, reached while it runs."""

    def read(self, address: int, length: int) -> bytes:
        """Bytes."""

    def write(self, address: int, data: bytes) -> None:
        """Bytes."""

    def write_word(self, address: int, value: int) -> None:
        """One 32-bit access, which the device sees whole."""


class _Ring:
    """One of the two rings; offsets are read anew each time."""

    def __init__(self, memory: MemoryAccess, descriptor: int, content: bytes) -> None:
        self.memory = memory
        self.descriptor = descriptor
        self.buffer = int.from_bytes(content[4:8], "little")
        self.size = int.from_bytes(content[8:12], "little")
        if not (self.buffer and 2 <= self.size <= _LARGEST):
            raise BoardError(
                f"the RTT buffer at 0x{descriptor:08x} has no meaning: {self.size} bytes at 0x{self.buffer:08x}",
                hint="the firmware has not set it up, or its memory is not what the image says; reset the board",
            )

    def offsets(self) -> tuple[int, int]:
        """Where to write and where to read next.

        Raises:
            BoardLostError: they lie outside the buffer.
        """
        raw = self.memory.read(self.descriptor + _WRITE_OFFSET, 8)
        write, read = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:], "little")
        if write >= self.size or read >= self.size:
            raise BoardLostError(
                f"the RTT buffer at 0x{self.descriptor:08x} is damaged: offsets {write} and {read} of {self.size}",
                hint="the firmware overwrote it, or the board lost power; run again",
            )
        return write, read


class RttTransport:
    """RTT's first channel in both directions."""

    def __init__(self, memory: MemoryAccess, address: int) -> None:
        """Wait for the firmware to set up its control block.

        Args:
            memory: the device's.
            address: of the control block.

        Raises:
            BoardError: it is not set up in START_TIMEOUT_S, or makes no sense.
        """
        self._memory = memory
        deadline = time.monotonic() + START_TIMEOUT_S
        while memory.read(address, len(IDENTIFICATION)) != IDENTIFICATION:
            if time.monotonic() > deadline:
                raise BoardError(
                    f"no RTT control block at 0x{address:08x} after {START_TIMEOUT_S:g} s",
                    hint="the firmware did not get that far: `tinyhil doctor --board NAME` tells where it stands",
                )
            time.sleep(_NAP_S)
        block = memory.read(address, 72)
        self._up = _Ring(memory, address + _UP, block[_UP:_DOWN])
        self._down = _Ring(memory, address + _DOWN, block[_DOWN:])
        self._held = b""
        self._closed = False

    def write(self, data: bytes) -> None:
        """Send all of it, taking in what comes meanwhile: a device that cannot send does not read either."""
        left = memoryview(data)
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        end = deadline + len(data) / LEAST_RATE
        while left:
            sent = self._send(left)
            if sent:
                left = left[sent:]
                deadline = min(time.monotonic() + WRITE_TIMEOUT_S, end)
                continue
            taken = self._take()
            if len(self._held) < _HELD_LIMIT:
                self._held += taken
            if time.monotonic() > deadline:
                raise BoardLostError(
                    f"the device took no bytes for {WRITE_TIMEOUT_S:g} s", hint="the firmware hangs; run again"
                )
            time.sleep(_NAP_S)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        deadline = time.monotonic() + timeout_s
        while True:
            data, self._held = self._held + self._take(), b""
            if data or time.monotonic() >= deadline:
                return data
            time.sleep(_NAP_S)

    def close(self) -> None:
        """Nothing is held open."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise BoardLostError("the RTT stream is closed", hint="open a session again")

    def _take(self) -> bytes:
        """What is in the up-ring."""
        self._check_open()
        write, read = self._up.offsets()
        if write == read:
            return b""
        if write > read:
            data = self._memory.read(self._up.buffer + read, write - read)
        else:
            data = self._memory.read(self._up.buffer + read, self._up.size - read)
            data += self._memory.read(self._up.buffer, write)
        self._memory.write_word(self._up.descriptor + _READ_OFFSET, write)
        return data

    def _send(self, data: memoryview) -> int:
        """Put as much as fits into the down-ring without a wrap; how much that was."""
        self._check_open()
        write, read = self._down.offsets()
        room = (read - write - 1) % self._down.size
        count = min(room, self._down.size - write, len(data))
        if count:
            self._memory.write(self._down.buffer + write, bytes(data[:count]))
            self._memory.write_word(self._down.descriptor + _WRITE_OFFSET, (write + count) % self._down.size)
        return count


def erase_block(memory: MemoryAccess, address: int) -> None:
    """Make the control block of an earlier run invalid, so that RttTransport waits for the firmware's own."""
    memory.write(address, bytes(len(IDENTIFICATION)))
