"""Core cycles of a layer: every block is run through the pipeline from each state in which it is entered.

The pipeline's state on an edge is that at the end of its source block, which is entered over its most frequent edge.
The states are a fixed point, found by iterating over all blocks until no state changes. A loop thus runs in its steady
state; its first iteration is costed on the edge that enters the loop. Where states alternate without end (two
iterations that differ by half a pair), the iterations are averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from harness.cycles.blocks import Block, Edge
from harness.cycles.instruction import FLAGS, Class, Instruction
from harness.cycles.pipeline import Cause, Pipeline, Step
from harness.cycles.pipelines import pipeline
from harness.cycles.tables import CoreTable

_WARM_ROUNDS = 12
_AVERAGED_ROUNDS = 4
# Edges into a block that are costed individually; others are costed like the most frequent one.
_MOST_EDGES = 6


@dataclass(frozen=True)
class CoreCost:
    """Core cycles of a layer.

    Attributes:
        by_address: address -> cause -> cycles, over all executions.
        low, high: how much less and more they may be, where data decides.
        steps: block's address -> its steps, entered and left over its most frequent edges.
        unknown: mnemonic -> executions of instructions without a row in the table.
    """

    by_address: Mapping[int, Mapping[Cause, float]]
    low: float
    high: float
    steps: Mapping[int, tuple[Step, ...]]
    unknown: Mapping[str, int]


@dataclass(frozen=True)
class _BlockRun:
    """A block's steps from one state over one exit, and the pipeline after them."""

    steps: tuple[Step, ...]
    after: Pipeline


class _LayerStates:
    """The pipeline's state on each edge of a layer, see the module."""

    def __init__(self, table: CoreTable, blocks: Mapping[int, Block], regions: Mapping[int, str]) -> None:
        self.table = table
        self.blocks = blocks
        self.empty = pipeline(table, regions)
        self.memo: dict[tuple[int, bool, int | None, Hashable], _BlockRun] = {}
        # state on an edge, by (source, target, taken)
        self.states: dict[tuple[int | None, int | None, bool], Pipeline] = {}

    def state(self, edge: Edge) -> Pipeline:
        return self.states.get((edge.source, edge.target, edge.taken), self.empty)

    def run(self, block: Block, state: Pipeline, leave: Edge) -> _BlockRun:
        following = None if leave.target is None else self.blocks.get(leave.target)
        target = None if following is None else following.instructions[0]
        key = (block.address, leave.taken, leave.target if leave.taken else None, state.key())
        found = self.memo.get(key)
        if found is None:
            running = state.copy()
            steps = [running.step(instruction) for instruction in block.instructions[:-1]]
            steps.append(running.step(block.instructions[-1], taken=leave.taken, target=target))
            found = self.memo[key] = _BlockRun(tuple(steps), running)
        return found

    def go_round(self) -> bool:
        """Iterates once over all blocks; returns whether a state changed."""
        changed = False
        for block in self.blocks.values():
            entered = self.state(block.entries[0]) if block.entries else self.empty
            for leave in block.exits:
                after = self.run(block, entered, leave).after
                key = (leave.source, leave.target, leave.taken)
                before = self.states.get(key)
                if before is None or before.key() != after.key():
                    self.states[key] = after
                    changed = True
        return changed


def core_cost(table: CoreTable, blocks: Mapping[int, Block], regions: Mapping[int, str] | None = None) -> CoreCost:
    """Core cycles of a layer's blocks.

    Args:
        table: the core's.
        blocks: of the layer, by address.
        regions: address of a load or store -> the memory that it accesses most.
    """
    layer = _LayerStates(table, blocks, regions or {})
    stable = any(not layer.go_round() for _ in range(_WARM_ROUNDS))
    rounds = 1 if stable else _AVERAGED_ROUNDS
    cost: dict[int, dict[Cause, float]] = defaultdict(lambda: defaultdict(float))
    low = high = 0.0
    unknown: dict[str, int] = defaultdict(int)
    for number in range(rounds):
        if number:
            layer.go_round()
        for block in blocks.values():
            for entry, weight in _weights(block.entries, block.count):
                for leave, share in _weights(block.exits, block.count):
                    times = weight * share / block.count / rounds
                    for step in layer.run(block, layer.state(entry) if entry else layer.empty, leave).steps:
                        for charge in step.charges:
                            cost[charge.address][charge.cause] += times * charge.cycles
                        low += times * step.low
                        high += times * step.high
    steps = {}
    for address, block in blocks.items():
        entered = layer.state(block.entries[0]) if block.entries else layer.empty
        leave = block.exits[0] if block.exits else Edge(address, None, False, block.count)
        steps[address] = layer.run(block, entered, leave).steps
        for instruction in block.instructions:
            if not layer.empty.known(instruction):
                unknown[instruction.mnemonic] += block.count
        if table.model == "scoreboard":
            for cause, cycles in _mispredicted(table, block, steps[address]).items():
                cost[block.instructions[-1].address][cause] += cycles
    return CoreCost({a: dict(c) for a, c in cost.items()}, low, high, steps, dict(unknown))


def _weights(edges: tuple[Edge, ...], count: int) -> list[tuple[Edge, float]]:
    """The edges that are costed individually, with weights that add up to `count`."""
    chosen = list(edges[:_MOST_EDGES]) or [Edge(None, None, False, count)]
    total = sum(edge.count for edge in chosen)
    return [(edge, edge.count * count / total) for edge in chosen]


def _mispredicted(table: CoreTable, block: Block, steps: tuple[Step, ...]) -> dict[Cause, float]:
    """Cycles lost to mispredictions of the block's last instruction, over all executions.

    A conditional branch is assumed to be predicted in its more frequent direction, so that each exit of a loop is
    mispredicted; an indirect branch to be predicted to its most frequent target.
    """
    last = block.instructions[-1]
    if not last.is_branch or table.rules["mispredict"].cycles == 0:
        return {}
    if last.kind in (Class.BRANCH, Class.COMPARE_BRANCH) and last.conditional:
        taken = sum(edge.count for edge in block.exits if edge.taken)
        missed = min(taken, block.count - taken)
        rule = "mispredict-early-flags" if _flags_early(table, last, steps) else "mispredict"
    elif last.kind in (Class.BRANCH_INDIRECT, Class.TABLE_BRANCH) or "pc" in last.writes:
        missed = block.count - max((edge.count for edge in block.exits), default=block.count)
        rule = "mispredict"
    else:
        return {}
    return {Cause.BRANCH: missed * table.rules[rule].cycles} if missed else {}


def _flags_early(table: CoreTable, branch: Instruction, steps: tuple[Step, ...]) -> bool:
    wanted = {register for register, _ in branch.reads} or {FLAGS}
    for step in reversed(steps[:-1]):
        if wanted & set(step.instruction.writes):
            return steps[-1].cycle - step.cycle >= table.rules["flags-distance"].cycles
    return True
