"""Requests with their status looked at, and data in pieces as large as the line carries.

Pieces get smaller while frames are lost and larger while they are not (docs/protocol.md, "Who repeats what").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import DeviceTimeoutError, ProtocolError
from harness.link.exchange import Exchange, NotReceivedError
from harness.link.limits import Pace
from harness.link.status import content_of
from harness.link.wire import Kind, Space

MOST_LOSSES = 200
"""Requests lost in a row after which a line is given up on: not even the shortest arrive, over and over."""

# Bytes of a frame's content that are not data: head, CRC, and the longest request head
_FRAME_COST = 32
_LEAST_PIECE = 24
_FIRST_PIECE = 512
_GOOD_BEFORE_GROWTH = 4
_TRIES_AT_A_SIZE = 3

_Answer = TypeVar("_Answer")


class Transfer:
    """Requests of one session.

    Attributes:
        exchange: what carries them.
        model: name of the selected model, for errors.
        piece: bytes of data that the next request carries at most.
    """

    def __init__(self, exchange: Exchange) -> None:
        """Begin with pieces that every device takes."""
        self.exchange = exchange
        self.model = "?"
        self.piece = _FIRST_PIECE
        self._limit = _FIRST_PIECE
        self._good = 0

    def set_frame_limit(self, size: int) -> None:
        """The device takes frames with `size` bytes of content; begin with pieces that fill them."""
        self.piece = self._limit = size - _FRAME_COST

    def ask(
        self,
        kind: Kind,
        body: bytes = b"",
        *,
        answer_size: int = 0,
        tries: int | None = None,
        timeout_s: float | None = None,
        ignore_faults: bool = False,
    ) -> bytes:
        """What the device answers to a request that is carried out at once; arguments and errors as Exchange.short.

        Raises:
            DeviceRefusedError: its status is not 0.
        """
        answer = self.exchange.short(
            kind, body, answer_size=answer_size, tries=tries, timeout_s=timeout_s, ignore_faults=ignore_faults
        )
        return content_of(kind, answer, self.model)

    def ask_long(self, kind: Kind, body: bytes, *, limit_s: float, doing: str, expected_s: float = 0.0) -> bytes:
        """The same of a request that may take long, sent once; arguments and errors as Exchange.long.

        Raises:
            DeviceRefusedError: its status is not 0.
        """
        answer = self.exchange.long(kind, body, limit_s=limit_s, expected_s=expected_s, doing=doing)
        return content_of(kind, answer, self.model)

    def until_received(self, kind: Kind, send: Callable[[], _Answer]) -> _Answer:
        """What `send` returns, called again while its request is lost.

        Raises:
            DeviceTimeoutError: it was lost MOST_LOSSES times, or for the time limit of an answer.
        """
        losses = Losses(kind, self.exchange.timeout_s)
        while True:
            try:
                return send()
            except NotReceivedError:
                losses.add()

    def write(self, index: int, data: bytes) -> None:
        """Bytes of input tensor `index`, or for WRITE_EXPECTED what a run is expected to write."""
        at = losses = 0
        pace = Pace(f"writing input {index}, {len(data):,} bytes", self.exchange.timeout_s)
        while at < len(data):
            part = data[at : at + self.piece]
            body = bytes((index,)) + at.to_bytes(4, "little") + part
            try:
                self.ask(Kind.WRITE, body, tries=self.tries_after(losses), timeout_s=pace.left())
            except NotReceivedError:
                losses += 1
                self.shrink()
                continue
            self.grow()
            at += len(part)
            pace.add(len(part))

    def read(self, space: Space, index: int, tensor: int, offset: int, size: int) -> bytes:
        """Bytes of a tensor, table or arena; docs/protocol.md tells what `index` and `tensor` are in each space.

        Raises:
            ProtocolError: other than so many came.
        """
        out = bytearray()
        losses = 0
        pace = Pace(f"reading {size:,} bytes of {space.name}", self.exchange.timeout_s)
        while len(out) < size:
            count = min(self.piece, size - len(out), 0xFFFF)
            body = bytes((space,)) + index.to_bytes(2, "little") + tensor.to_bytes(2, "little")
            body += (offset + len(out)).to_bytes(4, "little") + count.to_bytes(2, "little")
            try:
                tries = self.tries_after(losses)
                part = self.ask(Kind.READ, body, answer_size=count, tries=tries, timeout_s=pace.left())
            except NotReceivedError:
                losses += 1
                self.shrink()
                continue
            self.grow()
            if len(part) != count:
                raise ProtocolError(f"{len(part)} bytes read where {count} were asked for", hint="run again")
            out += part
            pace.add(count)
        return bytes(out)

    @staticmethod
    def tries_after(losses: int) -> int | None:
        """A few sendings at each size; the last goes on until the time limit and its error."""
        return _TRIES_AT_A_SIZE if losses < MOST_LOSSES else None

    def shrink(self) -> None:
        """A frame was lost."""
        self.piece = max(self.piece // 2, _LEAST_PIECE)
        self._good = 0

    def grow(self) -> None:
        """A frame arrived at once."""
        self._good += 1
        if self._good >= _GOOD_BEFORE_GROWTH and self.piece < self._limit:
            self.piece = min(self.piece * 2, self._limit)
            self._good = 0


class Losses:
    """How often one request was lost; some are too many."""

    def __init__(self, kind: Kind, limit_s: float) -> None:
        """limit_s: seconds from now, after which one more loss is too many."""
        self._kind = kind
        self._until = time.monotonic() + limit_s
        self._count = 0

    def add(self) -> None:
        """It was lost again. Raises DeviceTimeoutError: MOST_LOSSES times, or for too long."""
        self._count += 1
        if self._count >= MOST_LOSSES or time.monotonic() > self._until:
            raise DeviceTimeoutError(
                f"{self._kind.name} was lost {self._count} times in a row",
                hint="the line is too bad to work with: cable, baud rate?",
            )
