"""A line that counts what goes over it."""

from __future__ import annotations

from collections import Counter

from harness.link.framing import Frame, FrameDecoder
from harness.link.transport import Transport
from harness.link.wire import Kind

BITS = 10
"""Of a byte on a serial line: start, eight, stop."""


class Counting:
    """Counts bytes in both directions, and requests by their kind."""

    def __init__(self, inner: Transport) -> None:
        self._inner, self._decoder = inner, FrameDecoder()
        self.requests: Counter[Kind] = Counter()
        self.sent = self.received = 0

    def write(self, data: bytes) -> None:
        """Sends all of it."""
        self.sent += len(data)
        self.requests.update(Kind(event.kind) for event in self._decoder.feed(data) if isinstance(event, Frame))
        self._inner.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        data = self._inner.read(timeout_s)
        self.received += len(data)
        return data

    def close(self) -> None:
        """Closes the line."""
        self._inner.close()
