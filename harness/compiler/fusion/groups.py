"""Fusion groups: the runs of layers whose rows can be computed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import inf

from harness.compiler.choice import KernelChoice, choices
from harness.compiler.fusion import FusedRows, can_fuse_rows
from harness.compiler.fusion.partition import LayerSegment
from harness.compiler.fusion.row_run import RowRun
from harness.compiler.fusion.rows import NodeRows, is_image_mean, row_bytes, rows_of
from harness.compiler.memory.overlap import Overlap
from harness.compiler.memory.peak import PeakMemory
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph, Node
from harness.kernels.context import Context

MAX_LAYERS = 40
"""Most layers of a fusion group."""


class FusionGroups:
    """The segments that compute a run of two or more layers together, for a Partition.

    A run ends before an operator that cannot be computed by rows, after a tensor that is an output or shares bytes
    with another, after one that a layer outside the run reads, and after a mean over the image.
    """

    def __init__(
        self, graph: Graph, aliases: Aliases, layers: Sequence[Sequence[KernelChoice]], peak: PeakMemory
    ) -> None:
        self._graph = graph
        self._layers = layers
        self._peak = peak
        self._nodes = [choices[0].context.node for choices in layers]
        self._choices: dict[tuple[int, tuple[int, ...]], list[KernelChoice]] = {}
        self._by_rows: dict[int, NodeRows] = {}
        self._runs: dict[tuple[int, int, int], RowRun] = {}
        self._consumers = graph.consumers()
        same = aliases.same
        self._needed_whole = set(graph.outputs) | set(same) | {key for key in same.values() if isinstance(key, int)}
        for part, (whole, _) in aliases.part.items():
            self._needed_whole |= {key for key in (part, whole) if isinstance(key, int)}

    def estimates(self) -> Iterable[LayerSegment]:
        """Every run, with lower bounds of its peak memory and time."""
        position = {id(node): i for i, node in enumerate(self._nodes)}
        for first in range(len(self._nodes)):
            last_reader = first
            for last in range(first, min(len(self._nodes), first + MAX_LAYERS)):
                node = self._nodes[last]
                if not can_fuse_rows(self._graph, node):
                    break
                if last > first and last_reader <= last:
                    yield self._estimate(first, last)
                (y,) = node.outputs
                readers = [position.get(id(self._graph.nodes[i])) for i in self._consumers.get(y, [])]
                inside = [i for i in readers if i is not None]
                whole = y in self._needed_whole or len(inside) < len(readers) or not inside
                if whole or is_image_mean(self._graph, node):
                    break
                last_reader = max(last_reader, *inside)

    def _estimate(self, first: int, last: int) -> LayerSegment:
        """Lower bounds: one row an iteration, the output over all inputs, no scratch of kernels, the fastest kernels.

        Of rows that do not outlive an iteration half is counted, since an output may lie over its input.
        """
        nodes = self._nodes[first : last + 1]
        planned = self._run(first, last, 1).schedule
        size = {y: rows * row_bytes(self._graph.tensors[y]) for y, rows in planned.buffer_rows.items()}
        kept = sum(size[y] for y in planned.carried)
        passing = max(
            sum(size[t] for t in {*node.inputs, *node.outputs} & size.keys() - planned.carried) // 2 for node in nodes
        )
        everywhere = {pair: Overlap(0, 0) for pair in self._output_and_inputs(nodes)}
        peak = self._peak.bytes_during(first, last, (kept + passing,), everywhere)
        time = sum(min(choice.time for choice in choices) for choices in self._layers[first : last + 1])
        return LayerSegment(first, last, peak, time, None)

    def _run(self, first: int, last: int, rows: int) -> RowRun:
        key = first, last, rows
        if key not in self._runs:
            layers = range(first, last + 1)
            self._runs[key] = RowRun(
                self._graph, tuple(self._nodes[i] for i in layers), tuple(self._in_rows(i) for i in layers), rows
            )
        return self._runs[key]

    def _in_rows(self, layer: int) -> NodeRows:
        if layer not in self._by_rows:
            self._by_rows[layer] = rows_of(self._graph, self._nodes[layer])
        return self._by_rows[layer]

    def _output_and_inputs(self, nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
        """(the last node's output, a tensor that the run reads from outside)."""
        y = nodes[-1].outputs[0]
        inner = {node.outputs[0] for node in nodes}
        return ((y, x) for node in nodes for x in node.inputs if x >= 0 and x not in inner)

    def resolve(self, estimate: LayerSegment) -> Sequence[LayerSegment]:
        """The run of an estimate with little scratch, and with the fastest kernels and 1, 2 and 4 rows an iteration."""
        target = self._layers[0][0].context.target
        frugal = FusedRows(self._run(estimate.first, estimate.last, 1), target, partial(self._choose, max_scratch=0))
        variants = [(1, frugal.kernel_scratch), (1, None), (2, None), (4, None)]
        found = []
        for rows, limit in variants:
            run = self._run(estimate.first, estimate.last, rows)
            fused = FusedRows(run, target, partial(self._choose, max_scratch=limit))
            peak = self._peak.bytes_during(estimate.first, estimate.last, fused.scratch, fused.overlaps)
            # Cost models that depend on padding can give parts less time than whole layers, which cannot be.
            found.append(LayerSegment(estimate.first, estimate.last, peak, max(fused.time, estimate.time), fused))
        return found

    def _choose(
        self, node: Node, part: tuple[int, ...], context: Callable[[], Context], *, max_scratch: int | None
    ) -> KernelChoice:
        """The fastest kernel with at most `max_scratch` bytes of scratch (None: any); else one with the least."""
        key = (id(node), part)
        if key not in self._choices:
            self._choices[key] = choices(context())
        found = self._choices[key]
        least = min(sum(choice.scratch) for choice in found)
        limit = inf if max_scratch is None else max(max_scratch, least)
        return next(choice for choice in found if sum(choice.scratch) <= limit)
