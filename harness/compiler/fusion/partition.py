"""A partition of the layers into segments: the cheapest within a peak of memory, or the one with the lowest peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeAlias

from harness.compiler.choice import KernelChoice
from harness.compiler.fusion import FusedRows

Computation: TypeAlias = KernelChoice | FusedRows


@dataclass(frozen=True, eq=False)
class LayerSegment:
    """A way to compute layers `first` to `last` (inclusive).

    Attributes:
        peak: bytes of arena needed while they run.
        time: expected modelled cycles.
        computation: the kernel, or the fused rows; None for an estimate, whose `peak` and `time` are lower bounds.
    """

    first: int
    last: int
    peak: int
    time: float
    computation: Computation | None

    @property
    def chosen(self) -> Computation:
        """The computation of a segment that is no estimate."""
        assert self.computation is not None
        return self.computation

    @property
    def write_distance(self) -> int:
        """Bytes by which the output must begin before the inputs that it overwrites; 0 for an estimate."""
        if self.computation is None:
            return 0
        return sum(-min(overlap.nearest, 0) for overlap in self.computation.overlaps.values())


SegmentCost: TypeAlias = Callable[[LayerSegment], float]

_PathCost: TypeAlias = tuple[float, float]
_Join: TypeAlias = Callable[[LayerSegment, _PathCost], _PathCost]
"""The cost of a path: of its first segment, and the cost of the path after it."""


class SegmentSource(Protocol):
    """Segments of several layers: cheap estimates of all, computations of those that are asked for."""

    def estimates(self) -> Iterable[LayerSegment]:
        """One estimate for every run of layers that can be computed together."""

    def resolve(self, estimate: LayerSegment) -> Sequence[LayerSegment]:
        """The computations of one estimated run."""


class Partition:
    """Segments by their first layer; a partition is a path through them from the first layer to the last.

    Finds paths by dynamic programming from the last layer on, as a shortest path in an acyclic graph. Estimates on
    the best path are replaced by what they stand for until a best path has none: since they are lower bounds, that
    path is the best.
    """

    def __init__(self, single: Sequence[Sequence[LayerSegment]], source: SegmentSource | None = None) -> None:
        self._segments = [list(segments) for segments in single]
        self._source = source
        self._has_estimates = source is None

    def segments_from(self, layer: int) -> list[LayerSegment]:
        """The segments whose first layer is `layer`."""
        self._add_estimates()
        return self._segments[layer]

    def peaks(self) -> list[int]:
        """The peaks in bytes of all segments, each once, ascending."""
        self._add_estimates()
        return sorted({segment.peak for segments in self._segments for segment in segments})

    def cheapest(self, max_peak: float, cost: SegmentCost) -> list[LayerSegment]:
        """The partition with the least sum of costs, then of peaks, of those in which no peak exceeds `max_peak`.

        Returns:
            The segments in order; none where no partition keeps to `max_peak`.
        """
        return self._best_resolved(lambda segment, rest: (cost(segment) + rest[0], segment.peak + rest[1]), max_peak)

    def lowest_peak(self) -> int:
        """The lowest possible maximum of the peaks in bytes, over all partitions."""
        found = self._best_resolved(
            lambda segment, rest: (max(float(segment.peak), rest[0]), segment.time + rest[1]), inf
        )
        return max((segment.peak for segment in found), default=0)

    def _best_resolved(self, join: _Join, max_peak: float) -> list[LayerSegment]:
        """The best path, once no segment of it is an estimate."""
        self._add_estimates()
        while True:
            found = self._shortest_path(join, max_peak)
            estimates = [segment for segment in found if segment.computation is None]
            if not estimates or self._source is None:
                return found
            for estimate in estimates:
                self._segments[estimate.first].remove(estimate)
                self._segments[estimate.first] += self._source.resolve(estimate)

    def _shortest_path(self, join: _Join, max_peak: float) -> list[LayerSegment]:
        end = len(self._segments)
        costs = [(inf, inf)] * end + [(0.0, 0.0)]
        best: dict[int, LayerSegment] = {}
        for layer in reversed(range(end)):
            for segment in self._segments[layer]:
                rest = costs[segment.last + 1]
                if segment.peak <= max_peak and rest[0] < inf and join(segment, rest) < costs[layer]:
                    costs[layer] = join(segment, rest)
                    best[layer] = segment
        path: list[LayerSegment] = []
        layer = 0
        while layer < end:
            if layer not in best:
                return []
            path.append(best[layer])
            layer = path[-1].last + 1
        return path

    def _add_estimates(self) -> None:
        """Add the source's estimates on first use: making them takes long, and some goals need none."""
        if self._has_estimates or self._source is None:
            return
        self._has_estimates = True
        for estimate in self._source.estimates():
            self._segments[estimate.first].append(estimate)
