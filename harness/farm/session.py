"""A session with a board of a farm: the image runs beside the agent, its link comes through the agent's connection."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from harness.boards.session import Session
from harness.build.image import Image
from harness.errors import ImageFileError, TinyhilError
from harness.farm.images import record_of
from harness.hardware.board import Resolved
from harness.units import Unit

if TYPE_CHECKING:
    from harness.farm.client import Holding
    from harness.link.records import Watermarks


class HoldingTransport:
    """The device's link through an agent."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding

    def write(self, data: bytes) -> None:
        """Sends all of it."""
        self._holding.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Whatever has come."""
        return self._holding.read(timeout_s)

    def set_baud(self, baud: int) -> None:
        """Sets the rate of the serial port beside the agent."""
        self._holding.ask("baud", baud=baud)

    def close(self) -> None:
        """Does nothing: the lease outlives the session."""


class FarmSession(Session):
    """An image on a board of a farm."""

    def __init__(self, resolved: Resolved, image: Image, holding: Holding, *, icount: bool = True) -> None:
        super().__init__(resolved, image)
        self._holding = holding
        self._icount = icount
        self._scale: tuple[Unit, Fraction] | None = None
        self._notes: tuple[str, ...] = ()
        self._said = ""

    def open(self) -> None:
        """Sends the image, unless the agent has it. Raises BoardLostError, ImageFileError."""
        try:
            data = self.image.elf.read_bytes()
        except OSError as error:
            raise ImageFileError(
                f"{self.image.elf}: {error.strerror}", hint="the build cache was emptied meanwhile: run it again"
            ) from error
        self._digest = hashlib.sha256(data).hexdigest()
        if not self._holding.ask("has", sha256=self._digest)[0].get("has"):
            self._holding.ask("put", data)

    def load(self) -> None:
        """Starts the image on the board. Raises TinyhilError as the board's own session does, BoardLostError."""
        self._close_stream()
        told, _ = self._holding.ask("load", sha256=self._digest, image=record_of(self.image), icount=self._icount)
        scale = told.get("tick_scale")
        self._scale = None if scale is None else (Unit(scale[0]), Fraction(int(scale[1]), int(scale[2])))
        self._started(told)

    def reset(self) -> None:
        """Restarts the image."""
        self._close_stream()
        self._started(self._holding.ask("reset")[0])

    def _started(self, told: dict[str, Any]) -> None:
        self.baud = told.get("baud")
        self._stream = self._watch(HoldingTransport(self._holding), None)

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory through the agent."""
        self._readable(address, length)
        return self._holding.ask("read", address=address, length=length)[1]

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """That of the board's own session."""
        return self._scale

    def compare_marks(self, device: Watermarks, paint_seed: int) -> None:
        """Lets the board's own session compare them; its notes tell."""
        self._holding.ask("marks", marks=asdict(device), seed=paint_seed)

    def notes(self) -> tuple[str, ...]:
        """Those of the board's own session, and which board of the farm it was."""
        return (f"farm board {self._holding.board}", *self._notes)

    def stderr(self) -> str:
        """What the emulator said; asked for while the session runs, as its end is told when it ends."""
        if self._stream is not None and self._holding.alive:
            try:
                self._said = str(self._holding.ask("said")[0].get("stderr", ""))
            except TinyhilError:
                pass
        return self._said

    def close(self) -> None:
        """Ends the session; the board stays ours until the lease ends."""
        if self._stream is None:
            return
        self._close_stream()
        try:
            told, _ = self._holding.ask("unload")
        except TinyhilError:
            return  # the agent ends the session when its holder is gone
        self._notes = tuple(map(str, told.get("notes", ())))
        self._said = str(told.get("stderr", "")) or self._said
