"""Messages to and from a virtual board's process: a line of JSON, then as many bytes as its "size" says.

Requests have "do"; answers have "error" with the class and text of what went wrong, or the result.
"""

from __future__ import annotations

import json
from typing import Any


def pack(message: dict[str, Any], data: bytes = b"") -> bytes:
    """Encodes a message."""
    if data:
        message = {**message, "size": len(data)}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n" + data


class Unpacker:
    """Decodes messages from bytes that arrive in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Adds received bytes."""
        self._buffer += data

    def next(self) -> tuple[dict[str, Any], bytes] | None:
        """The next complete message, or None. Raises ValueError if its line is no JSON object."""
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        message = json.loads(self._buffer[:end])
        if not isinstance(message, dict):
            raise ValueError("not an object")
        size = int(message.get("size", 0))
        if len(self._buffer) < end + 1 + size:
            return None
        data = bytes(self._buffer[end + 1 : end + 1 + size])
        del self._buffer[: end + 1 + size]
        return message, data
