"""Fusion groups: the runs of layers whose rows can be computed together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from harness.compiler.choice import KernelChoice, choices
from harness.compiler.fusion import FusedRows, can_fuse_rows
from harness.compiler.fusion.partition import LayerSegment
from harness.compiler.fusion.row_run import PartKey, RowRun
from harness.compiler.fusion.rows import NodeRows, is_image_mean, rows_of
from harness.compiler.fusion.schedule import ComputeRows, most_at_once
from harness.compiler.memory.overlap import Overlap
from harness.compiler.memory.peak import PeakMemory
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph, Node

MAX_LAYERS = 40
"""Most layers of a fusion group."""

ROWS = ((1, True), (1, False), (2, False), (4, False))
"""What is tried: rows an iteration, and whether no node computes more at once, not even before a stride."""

LIMITS = 6
"""Sizes of scratch that are tried with each."""


Sized = tuple[KernelChoice, int]
"""A kernel, and its bytes of scratch."""


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
        self._fronts: dict[tuple[int, tuple[int, ...]], list[Sized]] = {}
        self._variants: dict[LayerSegment, FusedRows] = {}
        self._by_rows: dict[int, NodeRows] = {}
        self._runs: dict[tuple[int, int, int, bool], RowRun] = {}
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
        least = min(run.kept_bytes + max(run.passing_bytes) for run in self._runs_of(first, last, one=True))
        everywhere = {pair: Overlap(0, 0) for pair in self._output_and_inputs(self._nodes[first : last + 1])}
        peak = self._peak.bytes_during(first, last, (least,), everywhere)
        time = sum(min(choice.time for choice in choices) for choices in self._layers[first : last + 1])
        return LayerSegment(first, last, peak, time, None)

    def _run(self, first: int, last: int, rows: int, *, narrow: bool) -> RowRun:
        key = first, last, rows, narrow
        if key not in self._runs:
            layers = range(first, last + 1)
            nodes, in_rows = tuple(self._nodes[i] for i in layers), tuple(self._in_rows(i) for i in layers)
            self._runs[key] = RowRun(self._graph, nodes, in_rows, rows, narrow)
        return self._runs[key]

    def _runs_of(self, first: int, last: int, *, one: bool = False) -> Iterator[RowRun]:
        """A run in ROWS, or those of one row an iteration alone."""
        strides = any(most > 1 for most in most_at_once([self._in_rows(i) for i in range(first, last + 1)], 1))
        for rows, narrow in ROWS:
            if (rows == 1 or not one) and (strides or not narrow):
                yield self._run(first, last, rows, narrow=narrow)

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
        everywhere = {pair: Overlap(0, 0) for pair in self._output_and_inputs(self._nodes[first : last + 1])}
        for run in self._runs_of(first, last):
            for fused in self._fused(run):
                peak = self._peak.bytes_during(first, last, (fused.least_scratch,), everywhere)
                # Cost models that depend on padding can give parts less time than whole layers, which cannot be.
                variant = LayerSegment(first, last, peak, max(fused.time, estimate.time), None)
                self._variants[variant] = fused
                yield variant

    def _fused(self, run: RowRun) -> Iterator[FusedRows]:
        """A run with the fastest kernels within several sizes of scratch: each once."""
        fronts = {
            key: [] if run.in_rows[step.number].is_mean else self._front(run, key, step)
            for key, step in run.first_of_parts.items()
        }
        before = None
        for limit in _scratch_limits([front for front in fronts.values() if front]):
            chosen = {
                key: next((choice for choice, size in front if size <= limit), front[-1][0]) if front else None
                for key, front in fronts.items()
            }
            if chosen != before:
                yield FusedRows(run, chosen)
            before = chosen

    def _front(self, run: RowRun, key: PartKey, step: ComputeRows) -> list[Sized]:
        """The kernels of a part that are the fastest within some bytes of scratch, fastest first."""
        shared = id(run.nodes[step.number]), key[1:]
        if shared not in self._fronts:
            front: list[Sized] = []
            for choice in choices(run.part(step, self._layers[0][0].context.target)):
                size = sum(choice.scratch)
                if not front or size < front[-1][1]:
                    front.append((choice, size))
            self._fronts[shared] = front
        return self._fronts[shared]


def _scratch_limits(fronts: Sequence[Sequence[Sized]]) -> list[int]:
    """Bytes of scratch for which the fastest kernels of a run differ, few of them: ascending, from the least on."""
    least = max((front[-1][1] for front in fronts), default=0)
    limits = sorted({least, *(size for front in fronts for _, size in front if size > least)})
    chosen = np.linspace(0, len(limits) - 1, min(len(limits), LIMITS)).round().astype(int)
    return [limits[i] for i in chosen]
