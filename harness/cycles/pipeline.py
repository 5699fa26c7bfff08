"""What both core models have in common: steps, and what their cycles are charged to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.cycles.instruction import Class, Instruction
from harness.cycles.tables import CoreTable


class Cause(StrEnum):
    """What a cycle went to.

    ISSUE: an instruction was issued, or held the pipeline as its class does. LOAD_USE: a load's result was not there,
    or nothing could overlap it. INTERLOCK: another result was not there, or a unit was taken. BRANCH: the pipeline was
    refilled. FETCH, DATA: memory kept the core waiting for an instruction, for data.
    """

    ISSUE = "issue"
    LOAD_USE = "load-use"
    INTERLOCK = "interlock"
    BRANCH = "branch"
    FETCH = "fetch"
    DATA = "data"


# What an unknown instruction may take; it counts as one cycle, is reported by name, and widens the bounds by this.
UNKNOWN_SPREAD = (0.0, 16.0)


@dataclass(frozen=True)
class Charge:
    """Cycles that an instruction (by address) is charged with."""

    address: int
    cause: Cause
    cycles: int


@dataclass(frozen=True)
class Step:
    """One instruction through the pipeline.

    Attributes:
        cycle: in which it issued, counted from the pipeline's start.
        slot: 0 for the older, 1 for the younger of two issued together.
        charges: cycles that passed because of it; a load's second cycle that nothing hid stands in the next step.
        low, high: how much less and more it may have taken.
        note: why it did not issue earlier, for people; empty when nothing held it.
    """

    instruction: Instruction
    cycle: int
    slot: int
    charges: tuple[Charge, ...]
    low: float = 0.0
    high: float = 0.0
    note: str = ""


@dataclass
class Pipeline(ABC):
    """A core's pipeline, between instructions.

    Attributes:
        table: what it costs.
        regions: address of a load or store -> name of the memory it goes to, where that is known.
        now: cycles that have passed.
    """

    table: CoreTable
    regions: Mapping[int, str] = field(default_factory=dict)
    now: int = 0

    @abstractmethod
    def step(self, instruction: Instruction, *, taken: bool = False, target: Instruction | None = None) -> Step:
        """Executes one instruction; `taken`: it is a branch that leaves, to `target` where that is known."""

    @abstractmethod
    def key(self) -> Hashable:
        """All that later steps depend on, relative to `now`: equal keys behave equally."""

    @abstractmethod
    def copy(self) -> Pipeline:
        """An independent pipeline in the same state."""

    def known(self, instruction: Instruction) -> bool:
        """Whether the table has a row for it."""
        return instruction.kind is not Class.UNKNOWN and instruction.kind in self.table.classes
