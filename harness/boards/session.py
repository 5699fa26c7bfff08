"""Sessions with a board: the operations that every backend provides."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.boards.npu_record import SYMBOL, NpuRecord, read_record
from harness.build.image import Image
from harness.errors import BoardError, BoardLostError, TinyhilError
from harness.hardware.board import Board, Resolved
from harness.link.subprocess import Subprocess
from harness.link.transcript import Transcript
from harness.units import Unit

if TYPE_CHECKING:
    from harness.ethosu.device import NpuRun
    from harness.link.client import Client
    from harness.link.records import Watermarks
    from harness.link.transport import Transport


_TICK_UNITS = {"FPGAIO COUNTER": "emulated", "DWT CYCCNT": "cycles", "clock_gettime": "host-ns"}
"""The unit in which firmware tells ticks of a counter, for the counters of boards that tinyhil ships."""


class _Watched:
    """A transport that keeps a transcript, and adds to an error how the emulator or program ended."""

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
        """Sets the rate in baud of a serial port."""
        self._inner.set_baud(baud)  # type: ignore[attr-defined]

    def fileno(self) -> int:
        """The descriptor to wait on. Raises OSError for a transport without one, which must be polled."""
        own = getattr(self._inner, "fileno", None)
        if own is None:
            raise OSError("this transport has no descriptor")
        return int(own())

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
    """A board with an image, from open to close. A `with` block opens it, loads the image, and closes it in any case.

    Attributes:
        board: the board that was asked for.
        ran_on: the board that runs.
        stand_in: whether the two differ.
        reason: why they differ; "" when they do not.
        image: the image that runs.
        baud: rate of the serial line in bits per second; None for a link without a rate.
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
        """Connects to the board. Raises BoardError, ToolError."""

    @abstractmethod
    def load(self) -> None:
        """Loads the image onto the board and starts it. Raises BoardError."""

    @abstractmethod
    def reset(self) -> None:
        """Restarts the image; stream() must be called again afterwards. Raises BoardError."""

    def stream(self) -> Transport:
        """The transport to the device. Raises BoardError if no image is loaded."""
        if self._stream is None:
            raise self._nothing_loaded()
        return self._stream

    @abstractmethod
    def read_memory(self, address: int, length: int) -> bytes:
        """Bytes of the device's memory, read by other means than its firmware. Raises BoardError."""

    @abstractmethod
    def close(self) -> None:
        """Closes the session; may be called again."""

    @abstractmethod
    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """(unit, units per tick) of the device's tick counter; None where ticks have no meaning."""

    def raise_baud(self, client: Client) -> None:
        """Raises the rate of a serial port to the board's `fast_baud`, if both ends can do that.

        Raises:
            LinkError: after that the line works at neither rate.
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

    def npu_runs(self) -> tuple[NpuRun, ...]:
        """Command streams that an emulated NPU has run, with what each operation of them cost, in order."""
        return ()

    def explanation(self, error: TinyhilError) -> TinyhilError | None:
        """A better error than the one that an inference has just ended with; None if nothing more is known."""
        if isinstance(error, BoardLostError):
            return None
        record = self.npu_record()
        return None if record is None else record.error()

    def npu_record(self) -> NpuRecord | None:
        """What the NPU's driver keeps of its last run; None where there is no driver, or memory cannot be read."""
        from harness.elf.symbols import symbol_address

        return read_record(self.read_memory, symbol_address(self.image.elf, SYMBOL))

    def notes(self) -> tuple[str, ...]:
        """Notes on the run for the report; complete when the session is closed."""
        return ()

    def compare_marks(self, device: Watermarks, paint_seed: int) -> None:
        """Compares the device's watermarks with those read by other means, if possible; adds differences to notes().

        Args:
            device: its watermarks after a run, while it waits for a request.
            paint_seed: that the arena was painted with before the run.
        """
        del device, paint_seed  # most backends have no other means

    def stderr(self) -> str:
        """The end of what the emulator or native program wrote to stderr."""
        return ""

    def transcript(self) -> str:
        """The last bytes in both directions and the end of stderr, for the report of a failure."""
        said = self.stderr()
        return self._transcript.text() + (f"\nstderr:\n{said}" if said else "")

    @property
    def line_seconds(self) -> float:
        """Wall-clock seconds spent waiting for the stream so far: the device's computation and the transfers."""
        return self._seconds_before + (0.0 if self._watched is None else self._watched.seconds)

    def _nothing_loaded(self) -> BoardError:
        return BoardError("nothing is loaded", hint="call load() first, or use the session with `with`")

    def _not_open(self) -> BoardError:
        return BoardError("the session is not open", hint="call open() first, or use the session with `with`")

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
        """Raises BoardError if no memory region holds the range."""
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


class ProgramSession(Session):
    """A session whose device is a program on this machine, which each load starts anew."""

    def __init__(self, resolved: Resolved, image: Image) -> None:
        super().__init__(resolved, image)
        self._child: Subprocess | None = None

    def open(self) -> None:
        """Does nothing: each load starts a program."""

    def stderr(self) -> str:
        """The end of what the program said on stderr, or on its console; kept when it has ended."""
        return "" if self._child is None else self._child.stderr()

    @property
    def pid(self) -> int:
        """The program's process id. Raises BoardError if no image is loaded."""
        if self._child is None:
            raise self._nothing_loaded()
        return self._child.pid


def open_client(session: Session, image: Image) -> Client:
    """A client whose device has been checked to run the image.

    Raises:
        WrongImageError: the device runs another build or an image for another board, or claims what the image is not.
        LinkError: it does not answer, or not by the protocol.
    """
    from harness.link.claims import DeviceClaims
    from harness.link.client import Client

    board = session.ran_on
    claims = DeviceClaims(
        core=image.core,
        models=len(image.packages),
        most_stack=image.stack_size or None,
        tick_unit=_TICK_UNITS.get(board.tick.source),
    )
    client = Client(session.stream(), elf=image.elf, explanation=session.explanation)
    client.hello(image.build_id, image.board, claims=claims)
    session.raise_baud(client)
    return client
