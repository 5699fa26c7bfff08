"""What carries bytes to and from a device. A transport knows nothing of frames."""

from __future__ import annotations

from typing import Protocol

from harness.link.pipes import PipeTransport
from harness.link.sockets import SocketTransport

__all__ = ["PipeTransport", "SocketTransport", "Transport"]


class Transport(Protocol):
    """A byte stream in both directions."""

    def write(self, data: bytes) -> None:
        """Send all of it. Raises BoardLostError when the far end is gone or takes nothing for too long."""

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come, waiting for it no longer than timeout_s; b"" when nothing has.

        Raises:
            BoardLostError: the stream has ended.
        """

    def close(self) -> None:
        """Let go of it; may be called again."""
