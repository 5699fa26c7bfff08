"""Board tables: clock, flash, caches and stalls of missed lines; and the memory system that follows from them."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.cycles.kinds import KindError, LoadKind
from harness.cycles.memory import FIXED, CacheGeometry, Memory, MemorySystem, Part
from harness.cycles.tables import CoreTable, ErrorRow, Row, TableEntry, folder, names, read
from harness.errors import CycleTableError, OptionError

_Stall = Annotated[float, Field(ge=0, le=1000)]
_Positive = Annotated[int, Field(gt=0)]
_MOST_SECTORS = 32
"""Of a line: the simulator keeps a bit for each."""


class CacheRow(Row):
    """A cache, see harness.cycles.memory.CacheGeometry."""

    sets: _Positive
    ways: _Positive
    line: _Positive
    replace: Literal["lru", "round-robin"] = "lru"
    sector: _Positive | None = None

    @model_validator(mode="after")
    def _powers_of_two(self) -> CacheRow:
        sector = self.line if self.sector is None else self.sector
        if self.line & (self.line - 1) or sector & (sector - 1):
            raise ValueError("line and sector must be powers of two")
        if not sector <= self.line <= _MOST_SECTORS * sector:
            raise ValueError(f"a line has 1 to {_MOST_SECTORS} sectors")
        return self


class StallEntry(TableEntry):
    """Cycles of stall for a missed line; in a memory without a data cache, for every load and store.

    Attributes:
        fetch, sequential: of a fetch; of one whose line follows the line fetched before.
        load, load_sequential: of a load; of one whose line follows the line that a load missed before in the same
            memory (None: as others).
        store: of a store.
    """

    fetch: _Stall = 0
    sequential: _Stall = 0
    load: _Stall = 0
    load_sequential: _Stall | None = None
    store: _Stall = 0

    @property
    def next_load(self) -> float:
        """Cycles of a load whose line follows the line before."""
        return self.load if self.load_sequential is None else self.load_sequential

    def scaled(self, factor: float) -> StallEntry:
        """All stalls times a factor."""
        return StallEntry(**{name: value * factor for name, value in self.model_dump(exclude_none=True).items()})


class MemoryRow(Row):
    """A memory; `waits` is the share of its stalls that is proportional to the flash's wait states."""

    kind: Literal["flash", "sram", "tcm"]
    fetch: str | None = None
    data: str | None = None
    write_allocate: bool = False
    stalls: StallEntry = StallEntry()
    waits: Annotated[float, Field(ge=0, le=1)] = 0


class WaitRow(Row):
    """Flash wait states up to a core clock."""

    up_to_hz: _Positive
    cycles: Annotated[int, Field(ge=0)]


class FlashEntry(TableEntry):
    """A set-up of the flash, with its caches."""

    width_bits: _Positive
    memory: MemoryRow
    caches: Mapping[str, CacheRow] = Field(default_factory=dict)
    validated: bool | None = None


class BoardTable(TableEntry):
    """The table of a board.

    Attributes:
        validated, validation: whether whole programs were compared with silicon, and how.
        fitted_on: the measurements that the stalls were fitted to.
        error: relative error of modelled cycles, for bounds.
        errors: of kinds of load, with this board's core; `error` for those that are not named.
        flash: set-ups by name; `default_flash` unless another is asked for.
        memories: all other memories, by their region's name in boards.yaml.
    """

    board: str
    core: str
    clock_hz: _Positive
    validated: bool
    validation: str
    fitted_on: str
    error: Annotated[float, Field(gt=0, lt=1)]
    errors: Mapping[LoadKind, ErrorRow] = Field(default_factory=dict)
    sources: Mapping[str, str]
    wait_states: Annotated[tuple[WaitRow, ...], Field(min_length=1)]
    default_flash: str
    flash: Mapping[str, FlashEntry]
    memories: Mapping[str, MemoryRow]
    caches: Mapping[str, CacheRow] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> BoardTable:
        if self.default_flash not in self.flash:
            raise ValueError(f"default_flash: no flash is named {self.default_flash!r}")
        if [row.up_to_hz for row in self.wait_states] != sorted({row.up_to_hz for row in self.wait_states}):
            raise ValueError("wait_states: clocks must grow")
        if self.wait_states[-1].up_to_hz < self.clock_hz:
            raise ValueError("wait_states: clock_hz is beyond the last row")
        rows: list[tuple[str, Row]] = [(f"caches.{name}", row) for name, row in self.caches.items()]
        rows += [(f"errors.{kind.value}", row) for kind, row in self.errors.items()]
        rows += [(f"wait_states.{i}", row) for i, row in enumerate(self.wait_states)]
        memories = [(f"memories.{name}", row, self.caches) for name, row in self.memories.items()]
        for name, entry in self.flash.items():
            memories.append((f"flash.{name}", entry.memory, {**self.caches, **entry.caches}))
            rows += [(f"flash.{name}.caches.{cache}", row) for cache, row in entry.caches.items()]
        for place, memory, caches in memories:
            for cache in (memory.fetch, memory.data):
                if cache is not None and cache not in caches:
                    raise ValueError(f"{place}: no cache is named {cache!r}")
            if memory.data is None and memory.stalls.load_sequential is not None:
                raise ValueError(f"{place}: load_sequential is of lines, and without a data cache there are none")
            rows.append((place, memory))
        for place, row in rows:
            for source in row.source:
                if source not in self.sources:
                    raise ValueError(f"{place}: no source is named {source!r}")
        return self

    def waits(self, clock_hz: int) -> int:
        """Flash wait states at a core clock.

        Raises:
            OptionError: the board does not run at this clock.
        """
        for row in self.wait_states:
            if clock_hz <= row.up_to_hz:
                return row.cycles
        raise OptionError(
            f"{self.board} does not run at {clock_hz:,} Hz", hint=f"at most {self.wait_states[-1].up_to_hz:,} Hz"
        )


@dataclass(frozen=True)
class Setup:
    """A board with a set-up: the memory system and stalls that cycles are modelled with.

    Attributes:
        table: the board's; flash: name of the flash's set-up; clock_hz: of the core.
        system: its memories, with the placement of the image's parts.
        stalls: memory -> cycles of stall for a missed line at this clock.
        validated: whether the table is validated with this flash at this clock.
    """

    table: BoardTable
    flash: str
    clock_hz: int
    system: MemorySystem
    stalls: Mapping[str, StallEntry]
    validated: bool

    @property
    def name(self) -> str:
        """The name of board and flash set-up, for reports."""
        flash = f", {self.flash}" if len(self.table.flash) > 1 else ""
        return f"{self.table.board} at {self.clock_hz / 1e6:g} MHz{flash}"


def boards() -> tuple[str, ...]:
    """Names of the boards that have a table."""
    own = _own_folder()
    return tuple(sorted({*names("boards"), *(path.stem for path in own.glob("*.yaml"))} if own else names("boards")))


def board_table(name: str) -> BoardTable:
    """The table of a board: NAME.yaml in the folder $TINYHIL_CYCLE_TABLES, else tinyhil's own.

    Raises:
        CycleTableError: there is none, or it breaks the schema.
    """
    own = _own_folder()
    if own is not None and (own / f"{name}.yaml").is_file():
        return read_board(own / f"{name}.yaml")
    return _shipped(name)


@functools.cache
def _shipped(name: str) -> BoardTable:
    if name not in names("boards"):
        raise CycleTableError(f"no cycle table for the board {name!r}", hint="boards with one: " + ", ".join(boards()))
    return read_board(folder("boards") / f"{name}.yaml")


def _own_folder() -> Path | None:
    named = os.environ.get("TINYHIL_CYCLE_TABLES", "")
    return Path(named).expanduser() if named else None


def read_board(path: Path) -> BoardTable:
    """A board's table from a file, such as `tinyhil calibrate` writes.

    Raises:
        CycleTableError: it is not YAML or breaks the schema.
    """
    return read(path, BoardTable)


def setup(
    table: BoardTable, placement: Mapping[str, str], *, flash: str | None = None, clock_hz: int | None = None
) -> Setup:
    """A board's set-up with a placement.

    Args:
        table: the board's.
        placement: part of the image -> memory, for code, weights, arena, stack and data; the fixed parts are in flash.
        flash: name of a flash set-up; None for the table's default.
        clock_hz: the core's; None for the table's.

    Raises:
        OptionError: the board has no such flash or memory, or does not run at that clock.
    """
    flash = table.default_flash if flash is None else flash
    if flash not in table.flash:
        raise OptionError(f"{table.board} has no flash {flash!r}", hint="flash: " + ", ".join(table.flash))
    clock_hz = table.clock_hz if clock_hz is None else clock_hz
    entry = table.flash[flash]
    caches = {
        name: CacheGeometry(name, row.sets, row.ways, row.line, row.replace, row.sector)
        for name, row in {**table.caches, **entry.caches}.items()
    }
    rows = {"flash": entry.memory, **table.memories}
    memories = {
        name: Memory(
            name,
            row.kind,
            None if row.fetch is None else caches[row.fetch],
            None if row.data is None else caches[row.data],
            row.write_allocate,
        )
        for name, row in rows.items()
    }
    own, here = table.waits(table.clock_hz), table.waits(clock_hz)
    fixed: dict[Part, str] = {part: "flash" for part in FIXED}
    base = MemorySystem(f"{table.board} {flash}", memories, fixed)
    validated = table.validated and entry.validated is not False and clock_hz == table.clock_hz
    return Setup(
        table,
        flash,
        clock_hz,
        base.placed(dict(placement)),
        {name: _scaled(row, 1.0 if not own else here / own) for name, row in rows.items()},
        validated,
    )


def _scaled(row: MemoryRow, factor: float) -> StallEntry:
    return row.stalls.scaled(1 - row.waits + row.waits * factor)


def error_of(kind: LoadKind, core: CoreTable, board: BoardTable | None) -> KindError:
    """The error of a kind of load: the board's for it, which is of core and board; else the larger of theirs."""
    named = core.errors.get(kind) if board is None else board.errors.get(kind)
    validated = core.validated and (board is None or board.validated)
    if named is not None:
        return KindError(named.error, named.results, validated and named.results > 0)
    of_core = core.errors.get(kind)
    error = core.error if of_core is None else of_core.error
    backed = of_core is None or of_core.results > 0
    return KindError(error if board is None else max(error, board.error), None, validated and backed)
