"""Basic blocks of one layer, out of its counts and transfers, and the edges between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from harness.cycles.instruction import Instruction
from harness.cycles.profile import LayerProfile


@dataclass(frozen=True)
class Edge:
    """Control that went from the end of one block to another.

    Attributes:
        source: address of the first block; None where control came from outside the layer.
        target: address of the second; None where it left the layer.
        taken: whether it was a transfer, not the next address.
        count: how often.
    """

    source: int | None
    target: int | None
    taken: bool
    count: int


@dataclass(frozen=True)
class Block:
    """Instructions that are executed one after another.

    Attributes:
        count: executions of the first instruction.
        entries, exits: edges, the most frequent first.
    """

    instructions: tuple[Instruction, ...]
    count: int
    entries: tuple[Edge, ...] = ()
    exits: tuple[Edge, ...] = ()

    @property
    def address(self) -> int:
        """Of its first instruction."""
        return self.instructions[0].address


def blocks(layer: LayerProfile, code: Mapping[int, Instruction]) -> dict[int, Block]:
    """The blocks of a layer by address of their first instruction; `code` holds every executed instruction."""
    addresses = sorted(address for address, count in layer.counts.items() if count)
    outgoing: dict[int, dict[int, int]] = defaultdict(dict)
    targets = set()
    for (source, target), count in layer.transfers.items():
        outgoing[source][target] = outgoing[source].get(target, 0) + count
        targets.add(target)
    runs: list[list[Instruction]] = []
    previous: Instruction | None = None
    for address in addresses:
        instruction = code[address]
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
        runs[-1].append(instruction)
        previous = instruction
    starts = {run[0].address for run in runs}
    entries: dict[int, list[Edge]] = defaultdict(list)
    exits: dict[int, list[Edge]] = defaultdict(list)
    for run in runs:
        first, last = run[0].address, run[-1]
        left = layer.counts[last.address]
        edges = []
        for target, count in outgoing.get(last.address, {}).items():
            edges.append(Edge(first, target if target in starts else None, True, count))
            left -= count
        following = last.address + last.size
        if left > 0:
            edges.append(Edge(first, following if following in starts else None, False, left))
        exits[first] = sorted(edges, key=lambda edge: -edge.count)
        for edge in edges:
            if edge.target is not None:
                entries[edge.target].append(edge)
    result = {}
    for run in runs:
        first = run[0].address
        count = layer.counts[first]
        outside = count - sum(edge.count for edge in entries[first])
        if outside > 0:
            entries[first].append(Edge(None, first, True, outside))
        entries[first].sort(key=lambda edge: -edge.count)
        result[first] = Block(tuple(run), count, tuple(entries[first]), tuple(exits[first]))
    return result
