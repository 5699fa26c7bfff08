"""The tables a cycle model works from: one of each core, one of each board, read from tables/*.yaml and checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness import resources
from harness.cycles.instruction import Class
from harness.errors import CycleTableError

_Cycles = Annotated[float, Field(ge=0, le=1000)]
_Form = TypeVar("_Form", bound=BaseModel)
_Sources = Annotated[tuple[str, ...], Field(min_length=1)]

_CHAINED = """load-chain chain-indexed chain-unaligned chain-other-memory load-store store-load store-register-offset
    address-after-alu branch-taken branch-unaligned-target branch-indirect load-pc it-folded fp-dependency"""
_SCOREBOARD = "load-beside-shifted load-banks branch-taken mispredict mispredict-early-flags flags-distance"
CHAINED_RULES = frozenset(_CHAINED.split())
SCOREBOARD_RULES = frozenset(_SCOREBOARD.split())


class TableEntry(BaseModel):
    """Base of all that a table holds: without unknown keys, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(TableEntry):
    """What every row of a table says: where it is from, and whether a measurement stands behind it."""

    source: _Sources
    note: str = ""
    validated: bool | None = None


class ClassRow(Row):
    """One class of instructions.

    Attributes:
        cycles: it takes, at least (0 where registers_per_cycle says all); low, high: bounds where data decides.
        registers_per_cycle: registers a cycle that a multiple access moves, on top of `cycles`.
        units: it needs for one cycle; slot: where it may issue (folded: it takes no slot and no time); result: row of
            `results` for what it writes.
        early: slots in which it can execute one stage early, when its operands are there.
        early_mnemonics: the instructions of the class that can; all where empty.
        stages: role of an operand -> the stage it is wanted at, where that is not the role's own name.
        busy: cycles that its units are taken for, where they are not free again in the next cycle.
    """

    cycles: _Cycles = 1
    low: _Cycles | None = None
    high: _Cycles | None = None
    registers_per_cycle: Annotated[int, Field(gt=0)] | None = None
    units: tuple[str, ...] = ()
    slot: Literal["any", "older", "single", "folded"] = "any"
    result: str | None = None
    early: Literal["older", "any"] | None = None
    early_mnemonics: tuple[str, ...] = ()
    stages: Mapping[str, str] = Field(default_factory=dict)
    busy: Annotated[int, Field(ge=1)] = 1

    def issue(self, count: int) -> int:
        """Cycles that the instruction holds the pipeline, with `count` registers moved."""
        moved = 0 if self.registers_per_cycle is None else -(-count // self.registers_per_cycle)
        return max(1, int(self.cycles) + moved)

    def spread(self) -> tuple[float, float]:
        """How much less and how much more than `cycles` it may take."""
        low = self.cycles if self.low is None else self.low
        high = self.cycles if self.high is None else self.high
        return low - self.cycles, high - self.cycles


class RuleRow(Row):
    """A rule's figure in cycles; harness/cycles says what each rule is for."""

    cycles: _Cycles


class ResultRow(Row):
    """Cycles from a producer's issue to the issue of a consumer, by the stage at which the consumer wants the value."""

    to: Mapping[str, int]


class ConflictRow(Row):
    """Two units that cannot be used in one cycle."""

    units: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]


class CoreTable(TableEntry):
    """A core: what each class of instructions and each rule costs.

    Attributes:
        model: the engine that reads it: chained (one at a time, loads pipelined) or scoreboard (units and latencies).
        validated, validation: whether whole programs were measured against it, and what was done.
        error: relative error to state for core cycles.
    """

    core: Annotated[str, Field(pattern=r"^cortex-m[0-9]+(plus)?$")]
    title: str
    model: Literal["chained", "scoreboard"]
    validated: bool
    validation: str
    error: Annotated[float, Field(gt=0, lt=1)]
    sources: Mapping[str, str]
    classes: Mapping[Class, ClassRow]
    rules: Mapping[str, RuleRow]
    issue: Literal[1, 2] = 1
    units: Mapping[str, int] = Field(default_factory=dict)
    conflicts: tuple[ConflictRow, ...] = ()
    results: Mapping[str, ResultRow] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> CoreTable:
        wanted = CHAINED_RULES if self.model == "chained" else SCOREBOARD_RULES
        if set(self.rules) != wanted:
            raise ValueError(f"`rules` must be exactly {', '.join(sorted(wanted))}")
        rows: list[tuple[str, Row]] = [
            *((f"classes.{k.value}", v) for k, v in self.classes.items()),
            *((f"rules.{k}", v) for k, v in self.rules.items()),
            *((f"results.{k}", v) for k, v in self.results.items()),
            *((f"conflicts.{'-'.join(v.units)}", v) for v in self.conflicts),
        ]
        for place, row in rows:
            for source in row.source:
                if source not in self.sources:
                    raise ValueError(f"{place}: no source is named {source!r}")
        if Class.UNKNOWN in self.classes:
            raise ValueError("classes.unknown: what is not known has no cost")
        if self.model == "scoreboard":
            self._check_units()
        return self

    def _check_units(self) -> None:
        for needed in ("early", "late", "updated-base"):
            if needed not in self.results:
                raise ValueError(f"`results` needs a row {needed!r}")
        for kind, row in self.classes.items():
            for unit in row.units:
                if unit not in self.units:
                    raise ValueError(f"classes.{kind.value}: no unit is named {unit!r}")
            if row.result not in self.results:
                raise ValueError(f"classes.{kind.value}: no result is named {row.result!r}")
        for conflict in self.conflicts:
            for unit in conflict.units:
                if unit not in self.units:
                    raise ValueError(f"conflicts: no unit is named {unit!r}")


def cores() -> tuple[str, ...]:
    """Names of the cores that have a table."""
    return names("cores")


@functools.cache
def core_table(name: str) -> CoreTable:
    """The table of a core.

    Raises:
        CycleTableError: there is none, or it breaks the schema.
    """
    if name not in cores():
        raise CycleTableError(f"no cycle table for the core {name!r}", hint="cores with one: " + ", ".join(cores()))
    return read_core(folder("cores") / f"{name}.yaml")


def read_core(path: Path) -> CoreTable:
    """A core's table from a file.

    Raises:
        CycleTableError: it is not YAML or breaks the schema.
    """
    return read(path, CoreTable)


def folder(kind: str) -> Path:
    """Where tables lie: of "cores" or "boards"."""
    return resources.data("cycles", kind)


def names(kind: str) -> tuple[str, ...]:
    """Names of the tables of a kind."""
    return tuple(sorted(path.stem for path in folder(kind).glob("*.yaml")))


def read(path: Path, form: type[_Form]) -> _Form:
    """A table from a file.

    Raises:
        CycleTableError: it is not YAML or breaks the schema.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CycleTableError(f"{path}: {error}", hint="correct the file; docs/cycles.md explains the form") from error
    try:
        return form.model_validate(data)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise CycleTableError(
            f"{path}: {lines[0]}", hint="docs/cycles.md explains the form of a table", details="\n".join(lines)
        ) from error
