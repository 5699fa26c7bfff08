"""Records of boards: one entry of boards.yaml, a debug probe, and the board that was resolved to run."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.hardware.families import DEVICE_MASK

VIRTUAL = "virtual"
"""The name in `stand_ins` of the virtual board: the same image on an emulated chip."""


@dataclass(frozen=True)
class Region:
    """A range of memory: `size` bytes from `origin`; kind "flash" or "ram"; `execute`: the core can run code there."""

    name: str
    origin: int
    size: int
    kind: Literal["flash", "ram"]
    execute: bool = True

    def contains(self, address: int, length: int) -> bool:
        """Whether all bytes of a range of `length` bytes lie in the region."""
        return self.origin <= address and address + length <= self.origin + self.size


@dataclass(frozen=True)
class Tick:
    """The counter that the profiler on the device reads.

    Attributes:
        source: its name in the chip's manual.
        hz: ticks per second of the device's own time.
    """

    source: str
    hz: int

    def per_instruction(self, nanoseconds: int) -> Fraction:
        """Ticks per instruction, for an emulator in which each takes this many nanoseconds of virtual time."""
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
        name, tx, rx: names of the UART and its pins in the chip's manual.
        baud: its rate after reset, in bits per second.
        fast_baud: the rate that the link is raised to; None to leave it.
        serial: USB serial number of its port on the host, or "probe" for that of the debug probe.
    """

    name: str
    tx: str
    rx: str
    baud: int
    fast_baud: int | None
    serial: str


@dataclass(frozen=True)
class Placement:
    """Names of the memory regions for each part of an image: `arena`, `stack`, `data` (all other variables), `weights`,
    `code` (layers and kernels) and `scratch` (what kernels use while they run). Weights and code that are placed in RAM
    are copied there from flash at start. Scratch without a region of its own, or in the arena's, is part of the arena.
    """

    arena: str
    stack: str
    data: str
    weights: str
    code: str
    scratch: str | None = None

    @property
    def regions(self) -> dict[str, str]:
        """Part -> name of its region."""
        return {**vars(self), "scratch": self.scratch or self.arena}

    @property
    def parts(self) -> dict[str, str]:
        """The same, without scratch that is part of the arena."""
        return {part: region for part, region in self.regions.items() if part != "scratch" or self.scratch_apart}

    @property
    def scratch_apart(self) -> bool:
        """Whether scratch is no part of the arena."""
        return self.scratch not in (None, self.arena)


@dataclass(frozen=True)
class Npu:
    """The board's NPU, an Ethos-U55 or U65.

    Attributes:
        accelerators: names of the builds that it has; an emulated one may be any of several.
        base: address of its registers.
        memory: names of the memory regions that it reaches.
    """

    accelerators: tuple[str, ...]
    base: int
    memory: tuple[str, ...]


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
    npu: Npu | None = None

    @property
    def stand_in(self) -> str | None:
        """The first stand-in that is another board, not the virtual board; None if there is none."""
        return next((name for name in self.stand_ins if name != VIRTUAL), None)

    def region(self, name: str) -> Region | None:
        """The memory region of this name; None if there is none."""
        return next((region for region in self.memory if region.name == name), None)

    def memory_total(self, kind: Literal["flash", "ram"]) -> int:
        """Bytes of flash or RAM in all regions together."""
        return sum(region.size for region in self.memory if region.kind == kind)


@dataclass(frozen=True)
class Probe:
    """A debug probe that is plugged in.

    Attributes:
        unique_id: what it is chosen by; for an ST-LINK also the USB serial number of its serial port.
        description: product name.
        virtual: whether it belongs to an emulated chip.
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
        stand_in: whether something else than the board itself runs.
        reason: why it does, as a sentence for header and report; "" when the board itself runs.
        probe: the debug probe it is used through; None for an emulated board without one.
    """

    asked: Board
    runs_on: Board
    stand_in: bool
    reason: str
    probe: Probe | None = None

    @property
    def ran_on(self) -> str:
        """The name of `runs_on` in reports, which tells an emulation of a board from the board itself."""
        emulated = self.stand_in and self.runs_on.name == self.asked.name
        return f"virtual-{self.runs_on.name}" if emulated else self.runs_on.name
