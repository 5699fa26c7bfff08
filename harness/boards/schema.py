"""The form of boards.yaml, checked by pydantic; imported only when a file is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Positive = Annotated[int, Field(gt=0)]
_Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Core = Literal[
    "host",
    "cortex-m0",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m4",
    "cortex-m7",
    "cortex-m33",
    "cortex-m55",
    "cortex-m85",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegionEntry(_Strict):
    """A range of memory."""

    name: _Word
    origin: Annotated[int, Field(ge=0, lt=1 << 32)]
    size: _Positive
    kind: Literal["flash", "ram"]


class TickEntry(_Strict):
    """The profiler's counter."""

    source: Annotated[str, Field(min_length=1)]
    hz: _Positive


class BoardEntry(_Strict):
    """One board."""

    title: Annotated[str, Field(min_length=1)]
    core: Core
    port: _Word
    backend: Literal["host", "qemu", "pyocd"]
    clock_hz: _Positive
    tick: TickEntry
    stack_size: Annotated[int, Field(ge=1024, multiple_of=8)]
    memory: tuple[RegionEntry, ...] = ()
    machine: str | None = None
    target: str | None = None
    stand_in: _Word | None = None

    @model_validator(mode="after")
    def _complete(self) -> BoardEntry:
        if self.backend == "qemu" and not self.machine:
            raise ValueError("backend qemu needs `machine`, QEMU's name of the board")
        if self.backend == "pyocd" and not self.target:
            raise ValueError("backend pyocd needs `target`, pyOCD's name of the chip")
        if self.backend != "host" and not any(region.kind == "ram" for region in self.memory):
            raise ValueError("`memory` must name at least one region of kind ram")
        return self
