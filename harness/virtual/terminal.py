"""The host's end of a serial port: a pseudo-terminal, which pySerial opens like a board's port."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import tty

READ_SIZE = 4096
HELD_LIMIT = 65_536
# A receiver samples ten bits from one edge on: the last may be half a bit early or late, shared by both sides
TOLERANCE = 0.04

_RATES = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name[0] == "B" and name[1:].isdigit() and name != "B0"
}


class Terminal:
    """A pseudo-terminal as a Line.

    The rate that the host has set is compared with the device's: bytes between sides of different rates are damaged. A
    device that cannot send at all (no clock, no pin) loses its bytes.

    Attributes:
        path: of the device file that a host program opens.
    """

    def __init__(self) -> None:
        self._device, self._host = os.openpty()
        tty.setraw(self._host)
        os.set_blocking(self._device, False)
        self.path = os.ttyname(self._host)
        self._held = bytearray()
        self.sent = 0
        self.vanish_after: int | None = None

    def take(self, baud: float) -> tuple[bytes, bool]:
        """(bytes that the host has sent, whether they are damaged)."""
        self.flush()
        if self._device < 0:
            return b"", False
        try:
            data = os.read(self._device, READ_SIZE)
        except OSError:
            return b"", False
        if data and not self._agrees(baud):
            return _damaged(data), True
        return data, False

    def give(self, data: bytes, baud: float) -> None:
        """Sends bytes to the host."""
        if baud <= 0:
            return
        if self.vanish_after is not None and self.sent + len(data) > self.vanish_after:
            self.close()
        self.sent += len(data)
        self._held += data if self._agrees(baud) else _damaged(data)
        self.flush()

    def is_full(self) -> bool:
        """Whether many bytes wait for a host that does not read."""
        if len(self._held) >= HELD_LIMIT:
            self.flush()
        return len(self._held) >= HELD_LIMIT

    def wait(self, others: list[int], timeout_s: float) -> None:
        """Waits until the host sends or reads, another descriptor is readable, or `timeout_s` has passed."""
        self.flush()
        if self._device < 0:
            select.select(others, [], [], timeout_s)
            return
        select.select([self._device, *others], [self._device] if self._held else [], [], timeout_s)

    def close(self) -> None:
        """Removes the port."""
        for descriptor in (self._device, self._host):
            with contextlib.suppress(OSError):
                if descriptor >= 0:
                    os.close(descriptor)
        self._device = self._host = -1

    def flush(self) -> None:
        """Writes waiting bytes, as far as the host takes them."""
        while self._held and self._device >= 0:
            try:
                del self._held[: os.write(self._device, self._held)]
            except OSError:
                return

    def _agrees(self, baud: float) -> bool:
        if self._device < 0:
            return True
        rate = _RATES.get(termios.tcgetattr(self._host)[4])
        return rate is None or abs(baud - rate) <= TOLERANCE * rate


def _damaged(data: bytes) -> bytes:
    """Bytes as received at another rate: different ones, and fewer."""
    return bytes((byte << 3 | byte >> 4) & 0xFF ^ 0x95 for byte in data[::2])
