"""Core tables of the cycle model, and reading of tables from YAML files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness import resources
from harness.cycles.instruction import Class
from harness.cycles.kinds import LoadKind
from harness.errors import CycleTableError
from harness.files.reading import read_regular
from harness.files.yaml_parts import check_parts

# Of a table's file; those that ship have some 8 kB
_MAX_BYTES, _MOST_PARTS, _MOST_LEVELS = 1 << 20, 20_000, 16
_Cycles = Annotated[float, Field(ge=0, le=1000)]
_Form = TypeVar("_Form", bound=BaseModel)
_Sources = Annotated[tuple[str, ...], Field(min_length=1)]

_CHAINED = """load-chain chain-indexed chain-same-base chain-fp chain-unaligned chain-other-memory load-store store-load
    store-register-offset address-after-alu branch-taken branch-unaligned-target branch-wide-load branch-indirect
    load-pc it-folded fp-dependency"""
_SCOREBOARD = "load-beside-shifted load-banks branch-taken mispredict mispredict-early-flags flags-distance"
CHAINED_RULES = frozenset(_CHAINED.split())
SCOREBOARD_RULES = frozenset(_SCOREBOARD.split())


class TableEntry(BaseModel):
    """Base class of the records of a table: frozen, unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(TableEntry):
    """Base class of rows: the source of its figures, and whether they were compared with a measurement."""

    source: _Sources
    note: str = ""
    validated: bool | None = None


class ClassRow(Row):
    """One class of instructions.

    Attributes:
        cycles: least number of cycles (0 where registers_per_cycle gives all); low, high: bounds where data decides.
        registers_per_cycle: registers per cycle that a multiple access moves, in addition to `cycles`.
        units: that it needs for one cycle; slot: where it may issue (folded: it takes no slot and no time); result: row
            of `results` for the registers that it writes.
        early: slots in which it can execute one stage earlier if its operands are ready.
        early_mnemonics: the instructions of the class that can do so; all if empty.
        stages: role of an operand -> stage at which it is needed, if not the stage of the role's name.
        busy: cycles for which its units are busy, if more than one.
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
        """Cycles that the instruction occupies the pipeline, with `count` registers moved."""
        moved = 0 if self.registers_per_cycle is None else -(-count // self.registers_per_cycle)
        return max(1, int(self.cycles) + moved)

    def spread(self) -> tuple[float, float]:
        """How much less and how much more than `cycles` it may take."""
        low = self.cycles if self.low is None else self.low
        high = self.cycles if self.high is None else self.high
        return low - self.cycles, high - self.cycles


class RuleRow(Row):
    """A rule's figure in cycles; the core models in harness/cycles apply the rules."""

    cycles: _Cycles


class ErrorRow(Row):
    """Relative error of figures of one kind of load: |modelled / measured - 1| at most.

    Attributes:
        results: number of measured whole networks of the kind that were compared; 0 for a guess.
    """

    error: Annotated[float, Field(gt=0, lt=1)]
    results: Annotated[int, Field(ge=0)]


class ResultRow(Row):
    """Cycles from a producer's issue to a consumer's, by the stage at which the consumer needs the value."""

    to: Mapping[str, int]


class ConflictRow(Row):
    """Two units that cannot be used in one cycle."""

    units: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)]


class CoreTable(TableEntry):
    """The table of a core: cycles of each class of instructions and each rule.

    Attributes:
        model: the pipeline: chained (one at a time, loads pipelined) or scoreboard (units and latencies).
        validated, validation: whether whole programs were compared with measurements, and how.
        error: relative error of core cycles, for bounds; errors: of kinds of load for which it is another.
    """

    core: Annotated[str, Field(pattern=r"^cortex-m[0-9]+(plus)?$")]
    title: str
    model: Literal["chained", "scoreboard"]
    validated: bool
    validation: str
    error: Annotated[float, Field(gt=0, lt=1)]
    errors: Mapping[LoadKind, ErrorRow] = Field(default_factory=dict)
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
            *((f"errors.{k.value}", v) for k, v in self.errors.items()),
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
    """The folder of the tables of a kind, "cores" or "boards"."""
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
        text = read_regular(path, _MAX_BYTES).decode("utf-8")
        check_parts(text, _MOST_PARTS, _MOST_LEVELS)
        data = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        hint = "correct the file; `tinyhil docs cycles` explains the form"
        raise CycleTableError(f"{path}: {error}", hint=hint) from error
    try:
        return form.model_validate(data)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise CycleTableError(
            f"{path}: {lines[0]}", hint="`tinyhil docs cycles` explains the form of a table", details="\n".join(lines)
        ) from error
