"""Frames on the line: COBS between zero bytes, CRC-32 at the end. docs/protocol.md is the description."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from harness.link.wire import ANSWER, Kind

HEAD = 3
CRC = 4
FRAME_LIMIT = 65_536


@dataclass(frozen=True)
class Frame:
    """An undamaged frame.

    Attributes:
        kind: a Kind, with ANSWER added in an answer.
        sequence: 0..65535, the request's own number, repeated in its answer.
        body: what follows.
    """

    kind: int
    sequence: int
    body: bytes


@dataclass(frozen=True)
class Damage:
    """Bytes between two zeros that are no frame.

    Attributes:
        size: how many bytes.
    """

    size: int


def kind_name(kind: int) -> str:
    """A frame type in words, such as "READ" or "READ answer"."""
    try:
        return Kind(kind).name
    except ValueError:
        pass
    try:
        return f"{Kind(kind & ~ANSWER).name} answer" if kind & ANSWER else f"type 0x{kind:02x}"
    except ValueError:
        return f"type 0x{kind:02x}"


def cobs_encode(data: bytes) -> bytes:
    """Consistent overhead byte stuffing (Cheshire and Baker, 1999): the result has no zero byte."""
    out = bytearray()
    for part in data.split(b"\0"):
        start = 0
        while len(part) - start >= 254:
            out.append(255)
            out += part[start : start + 254]
            start += 254
        out.append(len(part) - start + 1)
        out += part[start:]
    return bytes(out)


def cobs_decode(data: bytes) -> bytes | None:
    """The inverse of cobs_encode for data without zero bytes; None when it is no code."""
    out = bytearray()
    at = 0
    size = len(data)
    while at < size:
        code = data[at]
        end = at + code
        if code == 0 or end > size:
            return None
        out += data[at + 1 : end]
        at = end
        if code != 255 and at < size:
            out.append(0)
    return bytes(out)


def encode(kind: int, sequence: int, body: bytes = b"") -> bytes:
    """A frame as it goes on the line. The leading zero ends whatever a disturbance left open."""
    content = bytes((kind, sequence & 0xFF, sequence >> 8)) + body
    return b"\0" + cobs_encode(content + zlib.crc32(content).to_bytes(4, "little")) + b"\0"


def decode(encoded: bytes) -> Frame | None:
    """The frame between two zeros, or None when it is damaged."""
    content = cobs_decode(encoded)
    if content is None or len(content) < HEAD + CRC:
        return None
    if zlib.crc32(content[:-CRC]) != int.from_bytes(content[-CRC:], "little"):
        return None
    return Frame(content[0], content[1] | content[2] << 8, content[HEAD:-CRC])


class FrameDecoder:
    """Bytes as they come -> frames. Takes any bytes; holds at most FRAME_LIMIT of them."""

    def __init__(self) -> None:
        self._open = bytearray()
        self._dropped = 0

    @property
    def held(self) -> int:
        """How many bytes of a frame that has not ended are kept."""
        return len(self._open)

    def feed(self, data: bytes) -> Iterator[Frame | Damage]:
        """The frames, and the stretches of damage, that these bytes end."""
        first, *ended = data.split(b"\0")
        self._take(first)
        if not ended:
            return
        rest = ended.pop()
        if self._open:
            yield self._end()
        for part in filter(None, ended):  # of zeros alone there may be many
            self._take(part)
            yield self._end()
        self._take(rest)

    def _take(self, part: bytes) -> None:
        room = FRAME_LIMIT - len(self._open)
        self._open += part[:room]
        self._dropped += max(len(part) - room, 0)

    def _end(self) -> Frame | Damage:
        """What the bytes since the last zero are."""
        whole, size = bytes(self._open), len(self._open) + self._dropped
        self._open.clear()
        self._dropped = 0
        frame = None if size > len(whole) else decode(whole)
        return Damage(size) if frame is None else frame
