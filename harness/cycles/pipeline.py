"""The base class of core models: steps, and the causes that their cycles are charged to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.cycles.instruction import Class, Instruction
from harness.cycles.tables import CoreTable


class Cause(StrEnum):
    """The cause of a cycle.

    ISSUE: an instruction was issued, or occupied the pipeline as its class does. LOAD_USE: a load's result was not
    ready, or nothing could overlap it. INTERLOCK: another result was not ready, or a unit was busy. BRANCH: the
    pipeline was refilled. FETCH, DATA: the core waited for memory, for an instruction or for data.
    """

    ISSUE = "issue"
    LOAD_USE = "load-use"
    INTERLOCK = "interlock"
    BRANCH = "branch"
    FETCH = "fetch"
    DATA = "data"


# How many cycles less and more than one an unknown instruction may take, for bounds; it is reported by name.
UNKNOWN_SPREAD = (0.0, 16.0)


@dataclass(frozen=True)
class Charge:
    """Cycles charged to an instruction, by address."""

    address: int
    cause: Cause
    cycles: int


@dataclass(frozen=True)
class Step:
    """One instruction through the pipeline.

    Attributes:
        cycle: the cycle of its issue, from the pipeline's start.
        slot: 0 for the older, 1 for the younger of two issued together.
        charges: cycles that passed for it; a load's second cycle that nothing overlaps is charged in the next step.
        low, high: how much less and more it may have taken.
        note: the reason why it did not issue earlier, for listings; "" if it was not delayed.
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
    """The state of a core's pipeline between instructions.

    Attributes:
        table: the core's.
        regions: address of a load or store -> name of the memory that it accesses, where that is known.
        now: cycles that have passed.
    """

    table: CoreTable
    regions: Mapping[int, str] = field(default_factory=dict)
    now: int = 0

    @abstractmethod
    def step(self, instruction: Instruction, *, taken: bool = False, target: Instruction | None = None) -> Step:
        """Executes one instruction; `taken`: whether it is a branch that is taken, to `target` if that is known."""

    @abstractmethod
    def key(self) -> Hashable:
        """A key of the state relative to `now`: with equal keys later steps are equal."""

    @abstractmethod
    def copy(self) -> Pipeline:
        """An independent pipeline in the same state."""

    def known(self, instruction: Instruction) -> bool:
        """Whether the table has a row for it."""
        return instruction.kind is not Class.UNKNOWN and instruction.kind in self.table.classes
