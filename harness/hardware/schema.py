"""The schema of boards.yaml, checked by pydantic; imported only when a file is read. What a backend requires of an
entry is checked by the backend (harness/boards/backends).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harness.ethosu.accelerators import ACCELERATORS
from harness.hardware.board import VIRTUAL
from harness.hardware.cores import CORES, NOT_COMPILED_FOR, core_hint
from harness.hardware.families import DEVICE_MASK

_Positive = Annotated[int, Field(gt=0)]
_Address = Annotated[int, Field(ge=0, lt=1 << 32)]
_Pin = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]*$")]
_Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


def _known_core(name: str) -> str:
    if name not in CORES and name not in NOT_COMPILED_FOR:
        raise ValueError(f"'{name}' is no core; {core_hint(name, sorted((*CORES.names(), *NOT_COMPILED_FOR)))}")
    return name


def _known_accelerator(name: str) -> str:
    known = [accelerator.name for accelerator in ACCELERATORS]
    if name not in known:
        raise ValueError(f"'{name}' is no accelerator; there are {', '.join(known)}")
    return name


CoreName = Annotated[str, AfterValidator(_known_core)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegionEntry(_Entry):
    """A range of memory."""

    name: _Word
    origin: _Address
    size: _Positive
    kind: Literal["flash", "ram"]
    execute: bool = True


class TickEntry(_Entry):
    """The profiler's counter."""

    source: Annotated[str, Field(min_length=1)]
    hz: _Positive


class IdcodeEntry(_Entry):
    """Address of the chip's identity word, and its value under the mask."""

    address: _Address
    device: Annotated[int, Field(gt=0, lt=1 << 32)]
    mask: Annotated[int, Field(gt=0, lt=1 << 32)] = DEVICE_MASK

    @model_validator(mode="after")
    def _within_mask(self) -> IdcodeEntry:
        if self.device & ~self.mask:
            raise ValueError(
                f"device 0x{self.device:x} has bits outside of mask 0x{self.mask:x}; give the register's own `mask`"
            )
        return self


class UartEntry(_Entry):
    """The UART that carries frames: its name and pins on the chip, and its rates in baud."""

    name: Annotated[str, Field(min_length=1)]
    tx: _Pin
    rx: _Pin
    baud: _Positive = 115_200
    fast_baud: _Positive | None = None
    serial: Annotated[str, Field(min_length=1)] = "probe"


class PlacementEntry(_Entry):
    """Names of the regions that hold each part of an image."""

    arena: _Word
    stack: _Word
    data: _Word
    weights: _Word
    code: _Word
    scratch: _Word | None = None


class NpuEntry(_Entry):
    """An Ethos-U55 or U65: its builds by Vela's names, address of its registers, and the regions that it reaches."""

    accelerators: Annotated[tuple[Annotated[str, AfterValidator(_known_accelerator)], ...], Field(min_length=1)]
    base: Annotated[int, Field(ge=0, lt=1 << 32, multiple_of=4096)]
    memory: Annotated[tuple[_Word, ...], Field(min_length=1)]


class BoardEntry(_Entry):
    """One board."""

    title: Annotated[str, Field(min_length=1)]
    core: CoreName
    port: _Word
    backend: _Word
    clock_hz: _Positive
    tick: TickEntry
    stack_size: Annotated[int, Field(ge=1024, multiple_of=8)]
    memory: tuple[RegionEntry, ...] = ()
    machine: str | None = None
    target: str | None = None
    arguments: tuple[str, ...] = ()
    time_limit: _Positive = 3600
    chip: _Word | None = None
    stand_ins: tuple[_Word, ...] = ()
    verified: Literal["hardware", "virtual", "never"] | None = None
    idcode: IdcodeEntry | None = None
    uart: UartEntry | None = None
    placement: PlacementEntry | None = None
    probe: Annotated[str, Field(min_length=1)] | None = None
    npu: NpuEntry | None = None

    @model_validator(mode="after")
    def _complete(self) -> BoardEntry:
        if VIRTUAL in self.stand_ins and not self.chip:
            raise ValueError("stand-in virtual needs `chip`, which the virtual board emulates")
        return self
