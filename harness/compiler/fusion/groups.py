"""Runs of layers that can be computed together, a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import inf

from harness.compiler.choice import Choice, candidates
from harness.compiler.fusion import Stream, can_stream
from harness.compiler.fusion.partition import Option
from harness.compiler.fusion.rows import is_total, row_bytes
from harness.compiler.fusion.schedule import schedule
from harness.compiler.memory.overlap import Overlap
from harness.compiler.memory.peak import PeakMemory
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph, Node
from harness.kernels.context import Context

LONGEST = 40
"""Most layers that are computed together."""


class FusionGroups:
    """The options of computing runs of layers together."""

    def __init__(self, graph: Graph, views: Aliases, layers: Sequence[Sequence[Choice]], needs: PeakMemory) -> None:
        self._graph = graph
        self._layers = layers
        self._needs = needs
        self._nodes = [choices[0].context.node for choices in layers]
        self._parts: dict[tuple[int, tuple[int, ...]], list[Choice]] = {}
        self._consumers = graph.consumers()
        self._seen = set(graph.outputs) | set(views.same) | {k for k in views.same.values() if isinstance(k, int)}
        for part, (whole, _) in views.part.items():
            self._seen |= {key for key in (part, whole) if isinstance(key, int)}

    def options(self) -> Iterable[Option]:
        """Every run of two layers and more, with what it needs and takes at least."""
        position = {id(node): i for i, node in enumerate(self._nodes)}
        for first in range(len(self._nodes)):
            reach = first
            for last in range(first, min(len(self._nodes), first + LONGEST)):
                node = self._nodes[last]
                if not can_stream(self._graph, node):
                    break
                if last > first and reach <= last:
                    yield self._estimate(first, last)
                (y,) = node.outputs
                readers = [position.get(id(self._graph.nodes[i])) for i in self._consumers.get(y, [])]
                inside = [i for i in readers if i is not None]
                if y in self._seen or len(inside) < len(readers) or not inside or is_total(self._graph, node):
                    break
                reach = max(reach, *inside)

    def _estimate(self, first: int, last: int) -> Option:
        nodes = self._nodes[first : last + 1]
        planned = schedule(self._graph, nodes, 1)
        size = {y: rows * row_bytes(self._graph.tensors[y]) for y, rows in planned.windows.items()}
        kept = sum(size[y] for y in planned.carried)
        passing = max(
            sum(size[t] for t in {*node.inputs, *node.outputs} & size.keys() - planned.carried) // 2 for node in nodes
        )
        everywhere = {pair: Overlap(0, 0) for pair in self._pairs(nodes)}
        need = self._needs.of(first, last, (kept + passing,), everywhere)
        time = sum(min(choice.time for choice in choices) for choices in self._layers[first : last + 1])
        return Option(first, last, need, time, None)

    def _pairs(self, nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
        y = nodes[-1].outputs[0]
        inner = {node.outputs[0] for node in nodes}
        return ((y, x) for node in nodes for x in node.inputs if x >= 0 and x not in inner)

    def resolved(self, option: Option) -> Sequence[Option]:
        """A run with little scratch, and with fast kernels and a few rows at a time."""
        nodes = tuple(self._nodes[option.first : option.last + 1])
        target = self._layers[0][0].context.target
        lean = Stream(self._graph, nodes, target, 1, partial(self._pick, most=0))
        most = lean.kernel_scratch
        variants = [(1, most), (1, None), (2, None), (4, None)]
        found = []
        for rows, limit in variants:
            stream = Stream(self._graph, nodes, target, rows, partial(self._pick, most=limit))
            need = self._needs.of(option.first, option.last, stream.scratch, stream.overlaps)
            # rules of thumb that count padding would have it faster than whole layers, which it cannot be
            found.append(Option(option.first, option.last, need, max(stream.time, option.time), stream))
        return found

    def _pick(self, node: Node, kind: tuple[int, ...], context: Callable[[], Context], *, most: int | None) -> Choice:
        """The fastest kernel with no more than `most` bytes of scratch, or that with the least."""
        key = (id(node), kind)
        if key not in self._parts:
            made = context()
            self._parts[key] = [Choice(made, kernel) for kernel in candidates(made)]
        choices = self._parts[key]
        least = min(sum(choice.scratch) for choice in choices)
        limit = inf if most is None else max(most, least)
        return next(choice for choice in choices if sum(choice.scratch) <= limit)
