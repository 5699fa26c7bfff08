"""A device in Python that keeps the protocol, for tests of the host's side; hostile ones answer in its place."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.link.claims import ModelClaims
from harness.link.framing import Frame, FrameDecoder, encode
from harness.link.wire import ANSWER, AnswerStatus, HelloFlag, Kind, Mode, ModelTable, Space

FRAME_LIMIT = 160
INPUT, OUTPUT, ARENA = 300, 700, 900
LAYERS = (("a", (8,)), ("b", (4, 4)), ("c", (OUTPUT,)))
CLAIMS = ModelClaims("m", "00" * 32, ARENA, (INPUT,), (OUTPUT,), tuple(sizes for _, sizes in LAYERS))
"""What an honest device tells of its one model."""

BEGUN = (Kind.INIT, Kind.INVOKE, Kind.CONTINUE, Kind.INSTALL)
"""Requests that may take long, and are accepted first."""

Answer = Callable[["HonestDevice", Frame], bytes]
"""What goes on the line for a request."""


def u(value: int, size: int = 4) -> bytes:
    return (value & (1 << 8 * size) - 1).to_bytes(size, "little")


def text(value: str) -> bytes:
    return u(len(value), 1) + value.encode()


class HonestDevice:
    """A transport whose far side is a device with one model.

    Attributes:
        instead: by type of request, what goes on the line instead of the answer; None to take it back.
        noise: bytes that come whenever it is read.
        greeted: whether there is a session.
        stored: answers by sequence number, for those who ask again.
    """

    def __init__(self) -> None:
        self.instead: dict[int, Answer | None] = {}
        self.noise: Callable[[], bytes] | None = None
        self.facts = {"arena": ARENA, "inputs": 1, "outputs": 1, "layers": len(LAYERS)}
        self.hello = {"tick_unit": 2, "tick_hz": 80, "stack": 1000, "models": 1, "core": "cortex-m4"}
        self.greeted = False
        self._decoder = FrameDecoder()
        self._out = b""
        self._run = 0
        self.stored: dict[int, bytes] = {}

    def write(self, data: bytes) -> None:
        """See Transport."""
        for event in self._decoder.feed(data):
            if isinstance(event, Frame):
                other = self.instead.get(event.kind)
                self._out += self.answer(event) if other is None else other(self, event)

    def read(self, timeout_s: float) -> bytes:
        """See Transport."""
        data, self._out = self._out, b""
        data += self.noise() if self.noise is not None else b""
        if not data:
            time.sleep(min(max(timeout_s, 0.0), 0.02))
        return data

    def close(self) -> None:
        """See Transport."""

    def answer(self, request: Frame) -> bytes:
        """What an honest device sends."""
        kind = Kind(request.kind)
        if kind is Kind.REPEAT:
            return self.stored.get(request.sequence) or encode(kind | ANSWER, request.sequence, u(4, 1))
        if kind is Kind.HELLO:
            self.greeted = True
        elif not self.greeted:
            return encode(kind | ANSWER, request.sequence, u(AnswerStatus.NO_SESSION, 1))
        made = encode(kind | ANSWER, request.sequence, u(0, 1) + self.content(kind, request.body))
        self.stored[request.sequence] = made
        accepted = encode(Kind.ACCEPTED, request.sequence) if kind in BEGUN else b""
        return accepted + made + (encode(Kind.READY, 0) if kind is Kind.RESET else b"")

    def content(self, kind: Kind, body: bytes) -> bytes:
        """An answer's body after its status."""
        match kind:
            case Kind.HELLO:
                return self._hello(body[2:6])
            case Kind.MODEL:
                return self._model(body[2], int.from_bytes(body[3:7], "little"))
            case Kind.INIT:
                return u(0)
            case Kind.INVOKE:
                self._run = int.from_bytes(body[:4], "little")
                return self._stop(0) if body[4] & Mode.STEP else self._end()
            case Kind.CONTINUE:
                layer = int.from_bytes(body[4:8], "little") + 1
                return self._stop(layer) if layer < len(LAYERS) else self._end()
            case Kind.READ:
                size = int.from_bytes(body[9:11], "little")
                return bytes((body[0],)) * size if body[0] in list(Space) else b""
            case Kind.WATERMARK:
                return b"".join(u(n) for n in (1000, 100, 200, ARENA, 900, 0, 0, 1))
            case Kind.GAPS:  # all of it is written
                return u(ARENA) + u(ARENA - int.from_bytes(body[:4], "little"), 2) + u(0, 2)
            case Kind.LINE:
                return b"".join(u(n) for n in (115_200, 0, 0, 0))
            case Kind.SLOT:
                return u(4000) + u(ARENA) + u(0, 1)
            case Kind.INSTALL:
                return u(0)
            case _:
                return b""

    def _hello(self, nonce: bytes) -> bytes:
        said = self.hello
        numbers = (80, said["tick_hz"], 0, 0, 0, 0, 0, said["stack"], ARENA)
        flags = HelloFlag.TICKS_RUN | HelloFlag.COMPARES
        told = u(1, 2) + u(FRAME_LIMIT, 2) + nonce + bytes((flags, 0, int(said["tick_unit"]), 1))
        told += b"".join(u(int(n)) for n in numbers) + u(int(said["models"]), 2) + u(256, 2)
        return told + text("build") + text("board") + text(str(said["core"]))

    def _model(self, table: int, first: int) -> bytes:
        facts = self.facts
        match table:
            case ModelTable.FACTS:
                numbers = (facts["arena"], 16, facts["inputs"], facts["outputs"], facts["layers"])
                return bytes(32) + b"".join(u(n) for n in numbers) + text("m")
            case ModelTable.INPUTS:
                return u(INPUT)
            case ModelTable.OUTPUTS:
                return u(OUTPUT)
            case _:
                name, sizes = LAYERS[first]
                return text(name) + u(len(sizes), 2) + b"".join(u(n) for n in sizes)

    def _stop(self, layer: int) -> bytes:
        return u(self._run) + u(1, 1) + u(layer) + u(0) + u(5, 8)

    def _end(self) -> bytes:
        return u(self._run) + u(0, 1) + u(len(LAYERS)) + u(0) + u(5, 8)
