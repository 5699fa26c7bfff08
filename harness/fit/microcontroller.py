"""Record of a microcontroller: what a datasheet says of core, clock and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.hardware.board import Board, Placement, Region
from harness.hardware.cores import CORES, code_core, core

Fpu = Literal["none", "single", "double"]

STACK = 2_048
"""Bytes that are counted for the stack of a part that is no board of boards.yaml; generated code takes less."""


@dataclass(frozen=True)
class RunCurrent:
    """What a datasheet says of the supply current.

    Attributes:
        ua_per_mhz: microamperes per MHz of core clock while code runs.
        volts: the supply at which it was measured.
        how: conditions: memory, regulator, what runs.
        sleep_ua: microamperes in a sleep mode that keeps RAM; None where none is given.
        source: document with its number.
    """

    ua_per_mhz: float
    volts: float
    how: str
    sleep_ua: float | None
    source: str

    @property
    def joules_a_cycle(self) -> float:
        """With a current that is in proportion to the clock: amperes per hertz times volts."""
        return self.ua_per_mhz * 1e-12 * self.volts


@dataclass(frozen=True)
class Microcontroller:
    """A microcontroller, or the one on a board of boards.yaml.

    Attributes:
        name: the order code without package and temperature, in lower case; of a board its name.
        core: "cortex-m4" and so on; may be one that no code is generated for.
        dsp: whether the core has the DSP extension where it is optional.
        fpu: None where it is not known, as of a board.
        clock_hz: of the core; the highest that the datasheet allows, of a board the one its port sets.
        memory: flash and RAM; addresses are a board's only. RAM regions are contiguous.
        external_flash: whether the flash is a chip of its own, of `memory`'s size at most.
        placement: the region for each part of an image.
        stack_size: bytes counted for the stack.
        memory_like: the board whose cycle table tells how long flash and RAM take; None where none does.
        run: supply current; None where it is not in the table.
        source: document with its number.
        is_board: whether it is an entry of boards.yaml.
        emulated: whether that is an emulator's board, which nobody can buy.
    """

    name: str
    vendor: str
    core: str
    dsp: bool
    fpu: Fpu | None
    clock_hz: int
    memory: tuple[Region, ...]
    external_flash: bool
    placement: Placement | None
    stack_size: int
    memory_like: str | None
    run: RunCurrent | None
    source: str
    is_board: bool = False
    emulated: bool = False

    @property
    def code_core(self) -> str:
        """The core that code is generated for: its own, or one whose code runs on it; "" where there is none."""
        return code_core(self.core) or ""

    @property
    def modelled(self) -> bool:
        """Whether there is a cycle model of its core."""
        return self.core in CORES

    @property
    def refusal(self) -> str:
        """Why no code can be generated for it; "" where it can."""
        if not self.code_core:
            return f"no code is generated for {self.core}"
        if not self.dsp and "dsp" in core(self.code_core).features:
            return f"code for {self.code_core} needs the DSP extension, which this {self.core} is without"
        return ""

    def bytes_of(self, kind: Literal["flash", "ram"]) -> int:
        """Bytes of flash or RAM in all regions together."""
        return sum(region.size for region in self.memory if region.kind == kind)


def of_board(board: Board, *, run: RunCurrent | None = None) -> Microcontroller:
    """The microcontroller of a board with memory; `run`: the current of its chip, where that is known."""
    from harness.boards.backends import BACKENDS, find_backend

    return Microcontroller(
        name=board.name,
        vendor="",
        core=board.core,
        dsp=True,
        fpu=None,
        clock_hz=board.clock_hz,
        memory=board.memory,
        external_flash=False,
        placement=board.placement,
        stack_size=board.stack_size,
        memory_like=board.name,
        run=run,
        source="boards.yaml",
        is_board=True,
        emulated=board.backend in BACKENDS and find_backend(board.backend).emulated,
    )
