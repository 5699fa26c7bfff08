"""What is known of a board, as records."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

BackendName = Literal["host", "qemu", "pyocd"]


@dataclass(frozen=True)
class Region:
    """A range of memory: `size` bytes from `origin`; kind "flash" or "ram"."""

    name: str
    origin: int
    size: int
    kind: Literal["flash", "ram"]

    def contains(self, address: int, length: int) -> bool:
        """Whether all bytes of a range are in the region."""
        return self.origin <= address and address + length <= self.origin + self.size


@dataclass(frozen=True)
class Tick:
    """The counter that the profiler on the device reads.

    Attributes:
        source: its name in the chip's manual.
        hz: ticks a second of the device's own time.
    """

    source: str
    hz: int

    def per_instruction(self, nanoseconds: int) -> Fraction:
        """Ticks for one instruction that takes this much virtual time."""
        return Fraction(self.hz * nanoseconds, 1_000_000_000)


@dataclass(frozen=True)
class Board:
    """One entry of boards.yaml; the file explains the keys."""

    name: str
    title: str
    core: str
    port: str
    backend: BackendName
    clock_hz: int
    tick: Tick
    stack_size: int
    memory: tuple[Region, ...] = ()
    machine: str | None = None
    target: str | None = None
    stand_in: str | None = None

    def memory_total(self, kind: Literal["flash", "ram"]) -> int:
        """Bytes of flash or RAM in all regions together."""
        return sum(region.size for region in self.memory if region.kind == kind)


@dataclass(frozen=True)
class Resolved:
    """Which board was asked for and which one runs.

    Attributes:
        asked: the board named by the user.
        runs_on: the board that the image is built for and runs on.
        stand_in: whether the two differ.
        reason: why, as a sentence for header and report; "" when they are the same.
    """

    asked: Board
    runs_on: Board
    stand_in: bool
    reason: str
