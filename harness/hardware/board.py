"""What is known of a board, as records."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.hardware.families import DEVICE_MASK

VIRTUAL = "virtual"
"""Among stand-ins: the same image on the virtual board of the same name."""


@dataclass(frozen=True)
class Region:
    """A range of memory: `size` bytes from `origin`; kind "flash" or "ram"; `execute`: the core can run code there."""

    name: str
    origin: int
    size: int
    kind: Literal["flash", "ram"]
    execute: bool = True

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
class Idcode:
    """The chip's identity word: `device` is what the bits of `mask` must be in the register at `address`."""

    address: int
    device: int
    mask: int = DEVICE_MASK

    def text(self, device: int) -> str:
        """A device number in hex, with as many digits as the mask has."""
        return f"0x{device:0{(self.mask.bit_length() + 3) // 4}x}"


@dataclass(frozen=True)
class Uart:
    """The UART that carries frames.

    Attributes:
        name, tx, rx: as the chip's manual names it and its pins.
        baud: its rate after reset.
        fast_baud: what the link can be raised to; None to leave it.
        serial: USB serial number of the port it appears as, or "probe": that of the debug probe.
    """

    name: str
    tx: str
    rx: str
    baud: int
    fast_baud: int | None
    serial: str


@dataclass(frozen=True)
class Placement:
    """Names of the memory regions for each part of an image: `arena`, `stack`, `data` (all other variables), `weights`
    and `code` (layers and kernels); what is placed in RAM though it lies in flash is copied there at start.
    """

    arena: str
    stack: str
    data: str
    weights: str
    code: str


@dataclass(frozen=True)
class Board:
    """One entry of boards.yaml; the file explains the keys. `backend` is a name in harness.boards.backends."""

    name: str
    title: str
    core: str
    port: str
    backend: str
    clock_hz: int
    tick: Tick
    stack_size: int
    memory: tuple[Region, ...] = ()
    machine: str | None = None
    target: str | None = None
    arguments: tuple[str, ...] = ()
    time_limit: int = 3600
    chip: str | None = None
    stand_ins: tuple[str, ...] = ()
    verified: Literal["hardware", "virtual", "never"] | None = None
    idcode: Idcode | None = None
    uart: Uart | None = None
    placement: Placement | None = None
    probe: str | None = None

    @property
    def stand_in(self) -> str | None:
        """The first board of another name that stands in for this one."""
        return next((name for name in self.stand_ins if name != VIRTUAL), None)

    def region(self, name: str) -> Region | None:
        """The memory region of a name, if there is one."""
        return next((region for region in self.memory if region.name == name), None)

    def memory_total(self, kind: Literal["flash", "ram"]) -> int:
        """Bytes of flash or RAM in all regions together."""
        return sum(region.size for region in self.memory if region.kind == kind)


@dataclass(frozen=True)
class Probe:
    """A debug probe that is plugged in.

    Attributes:
        unique_id: what it is chosen by; of an ST-LINK also the USB serial number of its serial port.
        description: product name.
        virtual: it leads to an emulated chip.
    """

    unique_id: str
    description: str
    virtual: bool = False


@dataclass(frozen=True)
class Resolved:
    """Which board was asked for and which one runs.

    Attributes:
        asked: the board named by the user.
        runs_on: the board that the image is built for and runs on.
        stand_in: whether it is not the board itself that runs.
        reason: why, as a sentence for header and report; "" when it is the board itself.
        probe: the debug probe it is used through; None for an emulated board without one.
    """

    asked: Board
    runs_on: Board
    stand_in: bool
    reason: str
    probe: Probe | None = None

    @property
    def ran_on(self) -> str:
        """What a report calls `runs_on`: an emulation of the board that was asked for never goes by its name."""
        emulated = self.stand_in and self.runs_on.name == self.asked.name
        return f"virtual-{self.runs_on.name}" if emulated else self.runs_on.name
