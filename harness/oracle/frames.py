"""Frames between this process and those that interpret models: a JSON header, then the bytes of arrays.

No pickles, so that a malicious model that controls the other side cannot run code on this one.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.quantization.types import Array

_LARGEST_FRAME = 1 << 30
_LENGTHS = struct.Struct("<II")

Header = dict[str, Any]

BROKEN = (TimeoutError, EOFError, OSError, ValueError, KeyError, TypeError, RecursionError)
"""What FrameLine raises if the other side is gone, silent, or sends what is no frame."""


class FrameLine:
    """Frames over a stream socket, each until a deadline (monotonic seconds; None: for ever)."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def send(self, header: Header, arrays: Sequence[Array], deadline: float | None = None) -> None:
        """Write one frame."""
        shapes = [[array.dtype.name, list(array.shape)] for array in arrays]
        text = json.dumps(header | {"arrays": shapes}).encode()
        body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
        self._limit(deadline)
        self._line.sendall(_LENGTHS.pack(len(text), len(body)) + text + body)

    def receive(self, deadline: float | None = None) -> tuple[Header, list[Array]]:
        """Read one frame."""
        text, body = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if text + body > _LARGEST_FRAME:
            raise ValueError(f"a frame of {text + body} bytes")
        header: Header = json.loads(self._exactly(text, deadline))
        data = self._exactly(body, deadline)
        arrays: list[Array] = []
        at = 0
        for kind, shape in header["arrays"]:
            array = np.frombuffer(data, np.dtype(kind), int(np.prod(shape, dtype=np.int64)), at).reshape(shape)
            at += array.nbytes
            arrays.append(array)
        return header, arrays

    def close(self) -> None:
        """Close the socket; idempotent."""
        self._line.close()

    def _limit(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("no answer")
        self._line.settimeout(left)

    def _exactly(self, size: int, deadline: float | None) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._limit(deadline)
            part = self._line.recv(min(size - len(parts), 1 << 20))
            if not part:
                raise EOFError("the other side has ended")
            parts += part
        return bytes(parts)
