"""Fusion groups: the runs of layers whose rows can be computed together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from harness.compiler.choice import KernelChoice, choices
from harness.compiler.fusion import FusedRows, can_fuse_rows
from harness.compiler.fusion.partition import LayerSegment
from harness.compiler.fusion.row_run import RowRun
from harness.compiler.fusion.rows import NodeRows, is_image_mean, row_bytes, rows_of
from harness.compiler.memory.overlap import Overlap
from harness.compiler.memory.peak import PeakMemory
from harness.hardware.target import Target
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph, Node
from harness.kernels.context import Context

MAX_LAYERS = 40
"""Most layers of a fusion group."""

ROWS = (1, 2, 4)
"""Rows an iteration that are tried."""

LIMITS = 6
"""Sizes of scratch that are tried with each."""


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
        self._fronts: dict[tuple[int, tuple[int, ...]], list[KernelChoice]] = {}
        self._variants: dict[LayerSegment, FusedRows] = {}
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
        """What an estimate stands for: of a run, estimates of its variants; of a variant, the computation."""
        fused = self._variants.pop(estimate, None)
        if fused is None:
            return list(self._variants_of(estimate))
        peak = self._peak.bytes_during(estimate.first, estimate.last, fused.scratch, fused.overlaps)
        return [LayerSegment(estimate.first, estimate.last, peak, estimate.time, fused)]

    def _variants_of(self, estimate: LayerSegment) -> Iterator[LayerSegment]:
        """Estimates of a run with ROWS rows an iteration, and the fastest kernels within several sizes of scratch.

        Their times are the expected ones; the peaks are lower bounds, as those of runs.
        """
        first, last = estimate.first, estimate.last
        target = self._layers[0][0].context.target
        everywhere = {pair: Overlap(0, 0) for pair in self._output_and_inputs(self._nodes[first : last + 1])}
        for rows in ROWS:
            run, before = self._run(first, last, rows), None
            for limit in self._scratch_limits(run, target):
                fused = FusedRows(run, target, partial(self._choose, max_scratch=limit))
                if fused.kernels == before:
                    continue
                before = fused.kernels
                peak = self._peak.bytes_during(first, last, (fused.least_scratch,), everywhere)
                # Cost models that depend on padding can give parts less time than whole layers, which cannot be.
                variant = LayerSegment(first, last, peak, max(fused.time, estimate.time), None)
                self._variants[variant] = fused
                yield variant

    def _scratch_limits(self, run: RowRun, target: Target) -> list[int]:
        """Bytes of scratch for which the fastest kernels of a run differ, few of them: ascending, from the least on."""
        least, sizes = 0, set[int]()
        for key, step in run.first_of_parts.items():
            if not run.in_rows[step.number].is_mean:
                front = self._front(run.nodes[step.number], key[1:], partial(run.part, step, target))
                least = max(least, sum(front[-1].scratch))
                sizes.update(sum(choice.scratch) for choice in front)
        limits = sorted(size for size in {least, *sizes} if size >= least)
        chosen = np.linspace(0, len(limits) - 1, min(len(limits), LIMITS)).round().astype(int)
        return [limits[i] for i in chosen]

    def _front(self, node: Node, part: tuple[int, ...], context: Callable[[], Context]) -> list[KernelChoice]:
        """The kernels of a part of a node that are the fastest within some bytes of scratch, fastest first."""
        key = (id(node), part)
        if key not in self._fronts:
            front: list[KernelChoice] = []
            for choice in choices(context()):
                if not front or sum(choice.scratch) < sum(front[-1].scratch):
                    front.append(choice)
            self._fronts[key] = front
        return self._fronts[key]

    def _choose(
        self, node: Node, part: tuple[int, ...], context: Callable[[], Context], *, max_scratch: int
    ) -> KernelChoice:
        """The fastest kernel with at most `max_scratch` bytes of scratch; else the one with the least."""
        front = self._front(node, part, context)
        return next((choice for choice in front if sum(choice.scratch) <= max_scratch), front[-1])
