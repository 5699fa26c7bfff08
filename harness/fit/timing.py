"""Expected time of an inference on a microcontroller: modelled cycles, what they leave out, how wrong they may be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.cycles.board_tables import BoardTable, board_table, boards, error_of
from harness.cycles.kinds import LoadKind
from harness.cycles.tables import core_table
from harness.cycles.targets import target_of
from harness.fit.compilations import Compiled, CycleCount
from harness.fit.microcontroller import Microcontroller
from harness.hardware.boards_file import known_board, known_boards
from harness.hardware.cores import core
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.quantization.types import DType
from harness.units import Quantity, Unit

COST_MODEL = 0.062
"""Largest relative difference of kernels' cost models from profiles, over MLPerf Tiny's layers: docs/profiling.md."""


UNKNOWN = 3.0
"""Where no error is known, a time may be shorter than expected by this factor."""


@dataclass(frozen=True)
class ExpectedTime:
    """Modelled cycles of an inference, and the time that they take at the part's clock.

    Attributes:
        cycles: expected, in modelled cycles.
        low, high: bounds; `high` is None where nothing bounds it.
        clock_hz: the part's.
        by_layer: expected modelled cycles of each layer.
        error: relative error of the tables and the cost models, which is in the bounds; None where it is not known.
        memory: how waiting for memory is counted, in words.
    """

    cycles: Quantity
    low: Quantity
    high: Quantity | None
    clock_hz: int
    by_layer: tuple[float, ...]
    error: float | None
    memory: str

    @property
    def expected_s(self) -> float:
        """Seconds that are expected."""
        return self.cycles.value / self.clock_hz

    @property
    def low_s(self) -> float:
        """Seconds that it takes at least."""
        return self.low.value / self.clock_hz

    @property
    def high_s(self) -> float | None:
        """Seconds that it takes at most; None where nothing bounds them."""
        return None if self.high is None else self.high.value / self.clock_hz


@dataclass(frozen=True)
class Waits:
    """A memory whose waiting is counted.

    Attributes:
        target: core and memory.
        error: relative error of core's and board's tables.
        told: whose memory it is, in words.
    """

    target: Target
    error: float
    told: str


def compile_target(part: Microcontroller) -> Target:
    """What code for a part is generated for: the board that it is or whose memory is like its own; else its core alone,
    once for all parts that have it.
    """
    board = None if part.memory_like is None else known_board(part.memory_like)
    return Target(part.code_core) if board is None else target_of(board)


def no_time(graph: Graph, part: Microcontroller) -> str:
    """Why no time can be told; "" where it can."""
    if not part.modelled:
        return f"no cycle model of {part.core}; code for {part.code_core} runs on it"
    without = part.fpu == "none" and "dsp" in core(part.core).features  # cost models of the others have none either
    if without and any(tensor.dtype is DType.FLOAT32 for tensor in graph.tensors):
        return f"floats without an FPU are not modelled on {part.core}"
    return ""


def expected_time(compiled: Compiled, part: Microcontroller) -> ExpectedTime:
    """The time of an inference; `no_time` must be "".

    Where the part's memory has a cycle table, or is like a board's that has one, its waiting is counted; else the
    bounds reach from no waiting to that of the slowest memory that has a table. An external flash has no upper bound.
    """
    kinds = _kinds(compiled)
    own = _waits(part, kinds)
    if own is not None:
        count = compiled.cycles_on(own.target)
        return _time(part, count, own.error, (count.cycles, count.cycles), own.told)
    count = compiled.cycles_on(Target(part.code_core))
    error = _error(kinds, part.core)
    if part.external_flash:
        return _time(part, count, error, (count.cycles, None), "no waits counted; the flash is external")
    slowest, name = max((compiled.cycles_on(target).cycles, name) for target, name in _other_waits(part.core))
    return _time(part, count, error, (count.cycles, slowest), f"none to {name}'s waits")


def _time(
    part: Microcontroller, count: CycleCount, error: float, span: tuple[float, float | None], memory: str
) -> ExpectedTime:
    known = count.basis == "fitted"
    relative = error + COST_MODEL
    low, high = span
    return ExpectedTime(
        cycles=_modelled(count.cycles),
        low=_modelled(low / (1 + relative) if known else low / UNKNOWN),
        high=_modelled(high / (1 - relative)) if known and high is not None else None,
        clock_hz=part.clock_hz,
        by_layer=count.by_layer,
        error=relative if known else None,
        memory=memory if known else f"{memory}; cost models of another core",
    )


def _modelled(cycles: float) -> Quantity:
    return Quantity(round(cycles), Unit.MODELLED_CYCLES)


def _kinds(compiled: Compiled) -> tuple[LoadKind, ...]:
    """The kinds of load that a model may be of; which of those of integers, only a run shows."""
    floats = any(tensor.dtype is DType.FLOAT32 for tensor in compiled.plan.graph.tensors)
    return (LoadKind.FLOAT,) if floats else (LoadKind.INTEGER, LoadKind.STREAMED)


def _error(kinds: tuple[LoadKind, ...], core_name: str, table: BoardTable | None = None) -> float:
    return max(error_of(kind, core_table(core_name), table).error for kind in kinds)


def _waits(part: Microcontroller, kinds: tuple[LoadKind, ...]) -> Waits | None:
    """The memory whose waiting is counted for a part; None where no table tells."""
    if part.memory_like is None:
        return None
    board = known_board(part.memory_like)
    if board is None:
        return None
    if board.name not in boards():
        none = part.emulated  # emulators have no wait states; of another board without a table nothing is known
        return Waits(Target(board.core), _error(kinds, board.core), "no wait states") if none else None
    table = board_table(board.name)
    error = _error(kinds, board.core, table)
    if part.is_board:
        return Waits(target_of(board), error, "its own")
    highest = table.wait_states[-1].up_to_hz
    clock = min(part.clock_hz, highest)
    told = f"like {board.name}" + (f" at {clock / 1e6:g} MHz" if clock < part.clock_hz else "")
    return Waits(target_of(board, clock_hz=clock), error, told)


def _other_waits(name: str) -> tuple[tuple[Target, str], ...]:
    """(core with a board's memory, the board), for all boards with cycle tables of the nearest core that has some."""
    for near in (name, *core(name).nearest):
        found = [board for board in known_boards() if board.core == near and board.name in boards()]
        if found:
            return tuple((replace(target_of(board), core=name), board.name) for board in found)
    return ((Target(name), "no memory"),)
