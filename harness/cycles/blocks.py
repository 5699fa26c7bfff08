"""Basic blocks of a layer and the edges between them, from its counts and transfers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from harness.cycles.instruction import Instruction
from harness.cycles.profile import LayerProfile


@dataclass(frozen=True)
class Edge:
    """An edge from the end of one block to another.

    Attributes:
        source: address of the first block; None for an edge into the layer.
        target: address of the second block; None for an edge out of the layer.
        taken: whether it is a transfer, not a step to the next address.
        count: number of times that it was taken.
    """

    source: int | None
    target: int | None
    taken: bool
    count: int


@dataclass(frozen=True)
class Block:
    """A basic block: instructions that are always executed together.

    Attributes:
        count: executions of the first instruction.
        entries, exits: edges, most frequent first.
    """

    instructions: tuple[Instruction, ...]
    count: int
    entries: tuple[Edge, ...] = ()
    exits: tuple[Edge, ...] = ()

    @property
    def address(self) -> int:
        """Address of the first instruction."""
        return self.instructions[0].address


def blocks(layer: LayerProfile, code: Mapping[int, Instruction]) -> dict[int, Block]:
    """The blocks of a layer by address; `code` has every executed instruction by address."""
    outgoing: dict[int, dict[int, int]] = defaultdict(dict)
    for (source, target), count in layer.transfers.items():
        outgoing[source][target] = outgoing[source].get(target, 0) + count
    runs = _runs(layer, code, outgoing)
    starts = {run[0].address for run in runs}
    exits = {run[0].address: _exits(layer, run, outgoing.get(run[-1].address, {}), starts) for run in runs}
    entries: dict[int, list[Edge]] = defaultdict(list)
    for edge in (edge for run in runs for edge in exits[run[0].address]):
        if edge.target is not None:
            entries[edge.target].append(edge)
    result = {}
    for run in runs:
        first = run[0].address
        count = layer.counts[first]
        outside = count - sum(edge.count for edge in entries[first])
        if outside > 0:
            entries[first].append(Edge(None, first, True, outside))
        result[first] = Block(tuple(run), count, _by_count(entries[first]), _by_count(exits[first]))
    return result


def _runs(
    layer: LayerProfile, code: Mapping[int, Instruction], outgoing: Mapping[int, Mapping[int, int]]
) -> list[list[Instruction]]:
    """Executed instructions by address, split where control enters or leaves, or where counts differ."""
    targets = {target for _, target in layer.transfers}
    runs: list[list[Instruction]] = []
    previous: Instruction | None = None
    for address in sorted(address for address, count in layer.counts.items() if count):
        begins = (
            previous is None
            or previous.address + previous.size != address
            or address in targets
            or previous.is_branch
            or previous.address in outgoing
            or layer.counts[address] != layer.counts[previous.address]
        )
        if begins:
            runs.append([])
        previous = code[address]
        runs[-1].append(previous)
    return runs


def _exits(layer: LayerProfile, run: list[Instruction], transfers: Mapping[int, int], starts: set[int]) -> list[Edge]:
    """Edges from the end of a run: its transfers, and one to the next address for the remaining executions."""
    first, last = run[0].address, run[-1]
    edges = [Edge(first, target if target in starts else None, True, count) for target, count in transfers.items()]
    left = layer.counts[last.address] - sum(transfers.values())
    following = last.address + last.size
    if left > 0:
        edges.append(Edge(first, following if following in starts else None, False, left))
    return edges


def _by_count(edges: list[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: -edge.count))
