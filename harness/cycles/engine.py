"""A profile and tables -> modelled cycles, by layer and cause.

    estimate(profile, setup(board_table("nucleo-l4r5"), placement))

Core cycles come from corecost.py; memory stalls are the simulated misses times the board's stall for a missed line. A
layer's figures are rounded to whole cycles, and totals are sums of the rounded figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.cycles.blocks import Block, blocks
from harness.cycles.board_tables import Setup, error_of
from harness.cycles.corecost import CoreCost, core_cost
from harness.cycles.decoder import decode_at
from harness.cycles.kinds import VALIDATED_SHARE, KindError, LoadKind, kind_of_load
from harness.cycles.loops import lines
from harness.cycles.pipeline import Cause, Step
from harness.cycles.profile import LayerProfile, Misses, Profile
from harness.cycles.tables import CoreTable, core_table
from harness.errors import CycleModelError
from harness.units import Quantity, Unit, total


def modelled(cycles: float) -> Quantity:
    """Modelled cycles, rounded to whole ones."""
    return Quantity(round(cycles), Unit.MODELLED_CYCLES)


@dataclass(frozen=True)
class HotBlock:
    """A basic block with its modelled cycles.

    Attributes:
        address: of its first instruction; count: executions.
        cycles: of all executions, memory stalls included.
        steps: its instructions as they issue, entered over the most frequent edge.
        costs: address -> cause -> cycles of all executions, for its instructions.
        loops: whether its most frequent successor is itself.
    """

    address: int
    count: int
    cycles: Quantity
    steps: tuple[Step, ...]
    costs: Mapping[int, Mapping[Cause, float]]
    loops: bool

    @property
    def cycles_per_execution(self) -> float:
        """Modelled cycles of one execution, on average."""
        return self.cycles.value / self.count

    def listing(self) -> list[str]:
        """One line per instruction: cycle of issue (| for the younger of a pair), address, text, reason of a delay."""
        result = lines(self.steps)
        for number, step in enumerate(self.steps):
            memory = [
                f"{cause.value} +{self.costs[step.instruction.address][cause] / self.count:.2f}"
                for cause in (Cause.FETCH, Cause.DATA)
                if self.costs.get(step.instruction.address, {}).get(cause, 0) >= 0.005 * self.count
            ]
            if memory:
                result[number] += ("; " if ";" not in result[number] else ", ") + ", ".join(memory)
        return result


@dataclass(frozen=True)
class LayerEstimate:
    """Modelled cycles of one layer.

    Attributes:
        name, index: as in the profile.
        instructions: executed, exact.
        causes: cycles by cause, whole; they add up to `cycles`.
        kind: of load; error: how far figures of this kind may be off.
        low, high: bounds of `cycles`.
        by_address: address -> cause -> cycles of all executions.
        blocks: those with the most cycles first.
        unknown: mnemonic -> executions of instructions without a row in the core's table; they count one cycle each,
            and widen the bounds.
    """

    name: str
    index: int
    instructions: Quantity
    causes: Mapping[Cause, Quantity]
    kind: LoadKind
    error: KindError
    low: Quantity
    high: Quantity
    by_address: Mapping[int, Mapping[Cause, float]]
    blocks: tuple[HotBlock, ...]
    unknown: Mapping[str, int]

    @property
    def cycles(self) -> Quantity:
        """All modelled cycles."""
        return total(self.causes.values(), Unit.MODELLED_CYCLES)

    @property
    def core(self) -> Quantity:
        """Modelled cycles without memory stalls."""
        return total(
            (n for cause, n in self.causes.items() if cause not in (Cause.FETCH, Cause.DATA)), Unit.MODELLED_CYCLES
        )


@dataclass(frozen=True)
class Estimate:
    """Modelled cycles of one inference.

    Attributes:
        layers: in the order of execution.
        core: the core table's name; board: the setup's name, or None for the core alone.
        tables: names of the tables that were used.
        compared: whether core and board with this set-up were compared with measurements.
        validation: how, one sentence per table.
        clock_hz: of the core; None without a board.
    """

    layers: tuple[LayerEstimate, ...]
    core: str
    board: str | None
    tables: tuple[str, ...]
    compared: bool
    validation: tuple[str, ...]
    clock_hz: int | None

    @property
    def kinds(self) -> dict[LoadKind, tuple[Quantity, KindError]]:
        """Cycles by kind of load, with the kind's error; those with the most cycles first."""
        found = {}
        for kind in LoadKind:
            own = [layer for layer in self.layers if layer.kind is kind]
            if own:
                found[kind] = (total((layer.cycles for layer in own), Unit.MODELLED_CYCLES), own[0].error)
        return dict(sorted(found.items(), key=lambda item: -item[1][0].value))

    @property
    def validated(self) -> bool:
        """Whether core and board were compared with measurements, for the kinds of load of nearly all cycles."""
        backed = sum(cycles.value for cycles, error in self.kinds.values() if error.validated)
        return self.compared and backed >= VALIDATED_SHARE * self.cycles.value

    @property
    def error(self) -> float:
        """Relative error: that of the layers' kinds, by their cycles."""
        weighted = [(cycles.value, error.error) for cycles, error in self.kinds.values()]
        cycles = sum(share for share, _ in weighted)
        if not cycles:
            return max((layer.error.error for layer in self.layers), default=0.0)
        return sum(share * error for share, error in weighted) / cycles

    @property
    def cycles(self) -> Quantity:
        """The sum of the layers."""
        return total((layer.cycles for layer in self.layers), Unit.MODELLED_CYCLES)

    @property
    def low(self) -> Quantity:
        """Lower bound."""
        return total((layer.low for layer in self.layers), Unit.MODELLED_CYCLES)

    @property
    def high(self) -> Quantity:
        """Upper bound."""
        return total((layer.high for layer in self.layers), Unit.MODELLED_CYCLES)

    @property
    def causes(self) -> dict[Cause, Quantity]:
        """Cycles by cause, over all layers."""
        zero = Quantity(0, Unit.MODELLED_CYCLES)
        return {c: total((x.causes.get(c, zero) for x in self.layers), Unit.MODELLED_CYCLES) for c in Cause}

    @property
    def unknown(self) -> dict[str, int]:
        """Mnemonic -> executions of instructions without a row in the core's table."""
        result: dict[str, int] = defaultdict(int)
        for layer in self.layers:
            for name, count in layer.unknown.items():
                result[name] += count
        return dict(result)

    @property
    def milliseconds(self) -> float | None:
        """Modelled time in milliseconds at the board's clock; None without a board."""
        return None if self.clock_hz is None else self.cycles.value / self.clock_hz * 1e3

    @property
    def label(self) -> str:
        """What kind of figures these are: 'estimated, ±6 %' or 'modelled, not validated, ±25 %'."""
        kind = "estimated" if self.validated else "modelled, not validated"
        return f"{kind}, ±{100 * self.error:.0f} %"


class CoreCosts:
    """Core cycles of a profile's layers, kept between estimates of the same run in other set-ups."""

    def __init__(self, profile: Profile) -> None:
        self.code = decode_at(profile.code, {a for layer in profile.layers for a, n in layer.counts.items() if n})
        self._graphs: dict[int, dict[int, Block]] = {}
        self._found: dict[tuple[int, str, frozenset[tuple[int, str]]], CoreCost] = {}

    def graph(self, number: int, layer: LayerProfile) -> dict[int, Block]:
        """The blocks of layer `number`."""
        if number not in self._graphs:
            self._graphs[number] = blocks(layer, self.code)
        return self._graphs[number]

    def cost(self, number: int, layer: LayerProfile, table: CoreTable, regions: Mapping[int, str]) -> CoreCost:
        """The core's cycles of layer `number`, whose loads and stores access `regions`."""
        # Only a chained core asks which memory an access is in.
        asked = frozenset(regions.items()) if table.model == "chained" else frozenset[tuple[int, str]]()
        key = (number, table.core, asked)
        if key not in self._found:
            self._found[key] = core_cost(table, self.graph(number, layer), regions)
        return self._found[key]


def estimate(
    profile: Profile,
    board: Setup | None,
    *,
    core: str | CoreTable | None = None,
    misses: Sequence[Misses] = (),
    kept: CoreCosts | None = None,
    listed: bool = True,
) -> Estimate:
    """Modelled cycles of a profile.

    Args:
        profile: what was executed.
        board: the board's set-up; None for a core alone, with memory without stalls.
        core: another core's table; None for that of the board, or without one of the profile's core.
        misses: for each layer, in the board's memory system; not needed without a board.
        kept: core cycles of the same profile and core's table, which are not worked out again.
        listed: whether layers have their blocks of code.

    Raises:
        CycleTableError: there is no table for the core.
        CycleModelError: `misses` do not belong to this profile.
    """
    named = core if core is not None else profile.core if board is None else board.table.core
    table = core_table(named) if isinstance(named, str) else named
    if board is not None and len(misses) != len(profile.layers):
        raise CycleModelError(
            f"misses of {len(misses)} layers for a profile of {len(profile.layers)}", hint="take them from this profile"
        )
    costs = kept or CoreCosts(profile)
    layers = tuple(
        _layer(number, layer, costs, table, board, misses[number] if board is not None else None, listed)
        for number, layer in enumerate(profile.layers)
    )
    return Estimate(
        layers=layers,
        core=table.core,
        board=None if board is None else board.name,
        tables=(f"cores/{table.core}", *(() if board is None else (f"boards/{board.table.board}",))),
        compared=table.validated and (board is None or board.validated),
        validation=(table.validation, *(() if board is None else (board.table.validation,))),
        clock_hz=None if board is None else board.clock_hz,
    )


def _layer(
    number: int,
    layer: LayerProfile,
    costs: CoreCosts,
    table: CoreTable,
    board: Setup | None,
    misses: Misses | None,
    listed: bool,
) -> LayerEstimate:
    """The estimate of one layer; `misses` are those in `board`'s memories."""
    graph = costs.graph(number, layer)
    core = costs.cost(number, layer, table, _regions(layer, board))
    cost = dict(core.by_address)
    loads = 0.0
    if board is not None and misses is not None:
        loads = _add_stalls(cost, layer, misses, board)
    causes = _whole_cycles(cost)
    cycles = total(causes.values(), Unit.MODELLED_CYCLES).value
    kind = kind_of_load(layer.counts, costs.code, loads, cycles)
    error = error_of(kind, table, None if board is None else board.table)
    low, high = error.bounds(cycles + core.low, cycles + core.high)
    return LayerEstimate(
        name=layer.name,
        index=layer.index,
        instructions=layer.instructions,
        causes=causes,
        kind=kind,
        error=error,
        low=modelled(low),
        high=modelled(high),
        by_address=cost,
        blocks=_hot(graph, cost, core.steps) if listed else (),
        unknown=core.unknown,
    )


def _whole_cycles(cost: Mapping[int, Mapping[Cause, float]]) -> dict[Cause, Quantity]:
    """Cycles by cause, each rounded; causes without cycles are left out."""
    sums: dict[Cause, float] = defaultdict(float)
    for causes in cost.values():
        for cause, cycles in causes.items():
            sums[cause] += cycles
    return {cause: modelled(sums[cause]) for cause in Cause if round(sums[cause])}


def _regions(layer: LayerProfile, board: Setup | None) -> dict[int, str]:
    """Address of a load or store -> the memory that it accesses most; empty without a board."""
    if board is None:
        return {}
    most: dict[int, tuple[int, str]] = {}
    for (address, part), (loads, stores) in layer.accesses.items():
        candidate = (loads + stores, board.system.memory_of(part).name)
        most[address] = max(most.get(address, (0, "")), candidate)
    return {address: name for address, (_, name) in most.items()}


def _add_stalls(
    cost: dict[int, Mapping[Cause, float]], layer: LayerProfile, misses: Misses, board: Setup
) -> float:
    """Adds waiting for memory; returns the cycles of it that are for lines which loads miss."""

    def add(address: int, cause: Cause, cycles: float) -> None:
        if cycles:
            causes = cost.get(address, {})
            cost[address] = {**causes, cause: causes.get(cause, 0.0) + cycles}

    for (address, memory), count in misses.fetch.items():
        stall = board.stalls[memory]
        in_line = misses.sequential.get((address, memory), 0)
        add(address, Cause.FETCH, (count - in_line) * stall.fetch + in_line * stall.sequential)
    waited = 0.0
    for (address, memory), count in misses.loads.items():
        stall, following = board.stalls[memory], misses.next_loads.get((address, memory), 0)
        cycles = (count - following) * stall.load + following * stall.next_load
        add(address, Cause.DATA, cycles)
        waited += cycles
    for (address, memory), count in misses.stores.items():
        add(address, Cause.DATA, count * board.stalls[memory].store)
    for (address, part), (loads, stores) in layer.accesses.items():
        uncached = board.system.memory_of(part)
        if uncached.data is None and uncached.name in board.stalls:
            stall = board.stalls[uncached.name]
            add(address, Cause.DATA, loads * stall.load + stores * stall.store)
    return waited


def _hot(
    graph: Mapping[int, Block], cost: Mapping[int, Mapping[Cause, float]], steps: Mapping[int, tuple[Step, ...]]
) -> tuple[HotBlock, ...]:
    result = []
    for address, block in graph.items():
        costs = {i.address: cost[i.address] for i in block.instructions if i.address in cost}
        cycles = sum(n for causes in costs.values() for n in causes.values())
        loops = bool(block.exits) and block.exits[0].target == address
        result.append(HotBlock(address, block.count, modelled(cycles), steps[address], costs, loops))
    return tuple(sorted(result, key=lambda block: (-block.cycles.value, block.address)))
