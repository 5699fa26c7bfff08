"""The last bytes on a line, told as frames."""

from __future__ import annotations

import time
from collections import deque

from harness.link.framing import decode, kind_name

LIMIT = 4096
_SHOWN_BYTES = 24
_MERGE_S = 0.001


class Transcript:
    """The last bytes that went each way, in their order and with their times.

    Attributes:
        sent, received: bytes in all.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """limit: bytes to keep, both ways together."""
        self._limit = limit
        self._chunks: deque[tuple[float, str, bytearray]] = deque()
        self._held = 0
        self._start = time.monotonic()
        self.sent = 0
        self.received = 0

    def note(self, arrow: str, data: bytes) -> None:
        """Add bytes; arrow is ">" to the device and "<" from it."""
        if arrow == ">":
            self.sent += len(data)
        else:
            self.received += len(data)
        now = time.monotonic() - self._start
        kept = data[-self._limit :]
        last = self._chunks[-1] if self._chunks else None
        # an emulated UART gives its bytes one by one
        if last is not None and last[1] == arrow and now - last[0] < _MERGE_S and len(last[2]) < 256:
            last[2].extend(kept)
        else:
            self._chunks.append((now, arrow, bytearray(kept)))
        self._held += len(kept)
        while self._held > self._limit and len(self._chunks) > 1:
            self._held -= len(self._chunks.popleft()[2])

    def text(self) -> str:
        """One line for each frame and each stretch of bytes that is none: seconds, direction, contents."""
        lines = [f"{self.sent} bytes sent, {self.received} received; the last of them, in seconds since the start:"]
        pending = {">": b"", "<": b""}
        for when, arrow, data in self._chunks:
            *ended, rest = (pending[arrow] + bytes(data)).split(b"\0")
            lines += [f"{when:9.3f} {arrow} {_told(part)}" for part in ended if part]
            pending[arrow] = rest
        lines += [f"{'':9} {arrow} {_bytes(rest)}, not ended" for arrow, rest in pending.items() if rest]
        return "\n".join(lines)


def _told(part: bytes) -> str:
    frame = decode(part)
    if frame is None:
        return f"no frame: {_bytes(part)}"
    name = f"{kind_name(frame.kind)} #{frame.sequence}"
    return f"{name}, {_bytes(frame.body)}" if frame.body else name


def _bytes(data: bytes) -> str:
    more = " ..." if len(data) > _SHOWN_BYTES else ""
    return f"{len(data)} bytes: {data[:_SHOWN_BYTES].hex(' ')}{more}"
