"""A session with a board: the verbs that every backend has."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.build.image import Image
from harness.errors import BoardError, BoardLostError, TinyhilError
from harness.hardware.board import Board, Resolved
from harness.link.subprocess import Subprocess
from harness.link.transcript import Transcript
from harness.units import Unit

if TYPE_CHECKING:
    from harness.link.client import Client
    from harness.link.records import Watermarks
    from harness.link.transport import Transport


class _Watched:
    """A transport that keeps a transcript and, when the far end is gone, tells what became of it."""

    def __init__(self, inner: Transport, transcript: Transcript, child: Subprocess | None) -> None:
        self._inner = inner
        self._transcript = transcript
        self._child = child
        self.seconds = 0.0

    def write(self, data: bytes) -> None:
        start = time.monotonic()
        try:
            self._inner.write(data)
        except BoardLostError as error:
            raise self._explained(error) from error
        finally:
            self.seconds += time.monotonic() - start
        self._transcript.note(">", data)

    def read(self, timeout_s: float) -> bytes:
        start = time.monotonic()
        try:
            data = self._inner.read(timeout_s)
        except BoardLostError as error:
            raise self._explained(error) from error
        finally:
            self.seconds += time.monotonic() - start
        if data:
            self._transcript.note("<", data)
        return data

    def set_baud(self, baud: int) -> None:
        """Of a serial port."""
        self._inner.set_baud(baud)  # type: ignore[attr-defined]

    def close(self) -> None:
        self._inner.close()

    def _explained(self, error: BoardLostError) -> BoardError:
        child = self._child
        if child is None:
            return error
        child.ended(1.0)
        details = "\n".join(filter(None, (child.stderr(), error.details)))
        if self._transcript.received == 0:
            return BoardError(
                f"{child.name} {child.fate()} before it sent a byte",
                hint=f"try it by hand: {' '.join(child.command)}",
                details=details,
            )
        return BoardLostError(
            f"{child.name} {child.fate()} during the run",
            hint="the details show what it said last; run it again",
            details=details,
        )


class Session(ABC):
    """One board, one image, from open to close. Use it with `with`, which opens, loads and in any case closes.

    Attributes:
        board: the board that was asked for.
        ran_on: the board that runs.
        stand_in: whether the two differ.
        reason: why they differ; "" when they do not.
        image: what runs on it.
        baud: rate of the serial line to the device, bits a second; None where it has no rate.
    """

    def __init__(self, resolved: Resolved, image: Image) -> None:
        self.board: Board = resolved.asked
        self.ran_on: Board = resolved.runs_on
        self.stand_in: bool = resolved.stand_in
        self.reason: str = resolved.reason
        self.image = image
        self.baud: int | None = None
        self._transcript = Transcript()
        self._stream: Transport | None = None
        self._watched: _Watched | None = None
        self._seconds_before = 0.0
        if image.board != self.ran_on.name:
            raise BoardError(
                f"the image is for {image.board}, not for {self.ran_on.name}",
                hint="build it for the board that runs it",
            )

    @abstractmethod
    def open(self) -> None:
        """Get hold of the board. Raises BoardError, ToolError."""

    @abstractmethod
    def load(self) -> None:
        """Put the image on the board and start it. Raises BoardError."""

    @abstractmethod
    def reset(self) -> None:
        """Start the image from its beginning; ask for the stream again afterwards. Raises BoardError."""

    def stream(self) -> Transport:
        """The bytes to and from the device. Raises BoardError when nothing is loaded."""
        if self._stream is None:
            raise self._nothing_loaded()
        return self._stream

    @abstractmethod
    def read_memory(self, address: int, length: int) -> bytes:
        """Bytes of the device's memory, read from outside while it runs. Raises BoardError."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the board; may be called again."""

    @abstractmethod
    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """What the device's tick counter measures: the unit, and units a tick; None where ticks mean nothing."""

    def raise_baud(self, client: Client) -> None:
        """Raise the line to the rate that the board's entry names, where the stream is a serial port and both ends can.

        Raises:
            LinkError: the line works at neither rate any more.
        """
        uart = self.ran_on.uart
        if self.baud is None or self._watched is None or uart is None or uart.fast_baud in (None, self.baud):
            return
        assert uart.fast_baud is not None
        client.raise_baud(uart.fast_baud, self.baud, self._set_baud)

    def _set_baud(self, baud: int) -> None:
        assert self._watched is not None
        self._watched.set_baud(baud)
        self.baud = baud

    def notes(self) -> tuple[str, ...]:
        """What else a report should say of the run, complete once the session is closed."""
        return ()

    def compare_marks(self, device: Watermarks, paint_seed: int) -> None:
        """Hold the device's watermarks against what can be seen from outside; a difference becomes one of notes().

        Args:
            device: what it says, while it waits for a request after a run.
            paint_seed: what the arena was painted with before.
        """
        del device, paint_seed  # most boards can only be seen through their firmware

    def stderr(self) -> str:
        """What the emulator or native program said on stderr, the end of it."""
        return ""

    def transcript(self) -> str:
        """The last bytes both ways and what the emulator said, for a failing report."""
        said = self.stderr()
        return self._transcript.text() + (f"\nstderr:\n{said}" if said else "")

    @property
    def line_seconds(self) -> float:
        """Wall-clock seconds spent in the stream so far: the device's computing and the line's carrying, not ours."""
        return self._seconds_before + (0.0 if self._watched is None else self._watched.seconds)

    def _nothing_loaded(self) -> BoardError:
        return BoardError("nothing is loaded", hint="call load() first, or use the session with `with`")

    def _close_stream(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.close()
        self._stream = None

    def _watch(self, transport: Transport, child: Subprocess | None) -> Transport:
        self._seconds_before = self.line_seconds
        self._watched = _Watched(transport, self._transcript, child)
        return self._watched

    def _readable(self, address: int, length: int) -> None:
        """Refuse what no memory region holds."""
        if length < 0 or not any(region.contains(address, length) for region in self.ran_on.memory):
            regions = ", ".join(f"{r.name} 0x{r.origin:08x}-0x{r.origin + r.size - 1:08x}" for r in self.ran_on.memory)
            raise BoardError(
                f"{self.ran_on.name} has no memory at 0x{address:08x}, {length} bytes",
                hint=f"boards.yaml knows: {regions or 'no memory regions'}",
            )

    def __enter__(self) -> Self:
        try:
            self.open()
            self.load()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, TinyhilError) and not error.transcript:
            error.transcript = self.transcript()


def open_client(session: Session, image: Image) -> Client:
    """A client that has made sure of the image.

    Raises:
        WrongImageError: the device runs another build, or an image for another board.
        LinkError: it does not answer as it should.
    """
    from harness.link.client import Client

    client = Client(session.stream(), elf=image.elf)
    client.hello(image.build_id, image.board)
    session.raise_baud(client)
    return client
