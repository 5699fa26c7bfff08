"""Which kernel computes which layer: a partition of the layers for the mode and the budgets, and its arena layout.

The bytes that a layer needs in the arena while it runs depend on its own kernel alone (compiler/memory/peak.py). The
fastest selection for an arena of a given size therefore takes, layer by layer, the fastest kernel that needs no more;
the mode decides for which size. The layout may need a little more than the highest peak; then lower peaks are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import inf

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.flash_budget import within_flash
from harness.compiler.flash_mode import fewest_bytes, worth_its_bytes
from harness.compiler.fusion.groups import FusionGroups
from harness.compiler.fusion.partition import LayerSegment, Partition, SegmentCost
from harness.compiler.goals import (
    BALANCED_ARENA,
    BALANCED_RAM,
    BALANCED_TIME,
    RAM_FEW,
    RAM_MORE,
    RAM_SMALL,
    RAM_WORTH,
    TIME_RAM,
    Goals,
)
from harness.compiler.memory.arena import ArenaLayout, aligned, allocate
from harness.compiler.memory.lifetimes import BLOCK_ALIGNMENT, Value, values_of
from harness.compiler.memory.peak import PeakMemory
from harness.errors import BudgetError
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph

ATTEMPTS = 8
"""Peaks that are tried beyond the first when the layout needs more than the peak."""

CURVE = 100
"""Peaks that are tried for the curve of arena against time."""

_RAM_STEP = 0.01
"""Part by which the peaks that "ram" tries differ at least."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Segments that compute all layers in order, and the arena that they need.

    Attributes:
        segments: in order, none an estimate.
        values: what lies in the arena.
        layout: where it lies, value by value.
    """

    segments: tuple[LayerSegment, ...]
    values: tuple[Value, ...]
    layout: ArenaLayout

    @cached_property
    def time(self) -> float:
        """Expected modelled cycles of all layers."""
        return sum(segment.time for segment in self.segments)

    @cached_property
    def flash(self) -> int:
        """Expected bytes of flash."""
        return FlashEstimate(segment.chosen for segment in self.segments).total

    @property
    def arena(self) -> int:
        """Bytes of arena."""
        return self.layout.size


def select(
    graph: Graph, aliases: Aliases, layers: Sequence[Sequence[KernelChoice]], goals: Goals, *, fuse_most: bool = False
) -> Selection:
    """The selection that `goals` ask for; `layers` are the kernels of each layer, fastest first.

    With `fuse_most` as many layers as possible are computed by fused rows, and the goals are ignored.

    Raises:
        BudgetError: no selection found keeps to the budgets.
    """
    selector = _Selector(graph, aliases, layers, goals)
    return selector.most_fused() if fuse_most else selector.best()


def pareto_front(graph: Graph, aliases: Aliases, layers: Sequence[Sequence[KernelChoice]]) -> list[Selection]:
    """The selections found that no other beats in both arena and time, the fastest first."""
    return _Selector(graph, aliases, layers, Goals()).pareto_front()


def _frugal(segments: Sequence[LayerSegment]) -> list[LayerSegment]:
    """Those of kernels that do not trade RAM for time, or all where others are preferred."""
    found = [s for s in segments if isinstance(s.computation, KernelChoice) and not s.computation.kernel.trades_ram]
    return found or list(segments)


def _time(segment: LayerSegment) -> float:
    return segment.time


def _arena_then_time(selection: Selection) -> tuple[int, float]:
    return selection.arena, selection.time


def check_arena(selection: Selection, goals: Goals) -> None:
    """Whether an arena with buffers for weights keeps its budget.

    Raises:
        BudgetError: it does not.
    """
    if goals.max_arena is not None and selection.arena > goals.max_arena:
        raise BudgetError(
            f"with buffers for weights the arena is {selection.arena:,} bytes, over the budget of {goals.max_arena:,}",
            hint="give a smaller --prefetch, or leave it out",
        )


BUFFERS = "weights that are copied ahead"
"""Name of the buffers' value."""


def laid_out_again(
    graph: Graph, aliases: Aliases, selection: Selection, *, scratch: bool, apart: Collection[int], buffers: int
) -> Selection:
    """The same segments in another arena.

    Args:
        graph, aliases, selection: as selected.
        scratch: whether it holds scratch.
        apart: numbers of segments whose output shares no bytes with an input.
        buffers: bytes that live throughout.
    """
    uses = [segment.chosen.memory_use for segment in selection.segments]
    uses = [use if scratch else replace(use, scratch=()) for use in uses]
    uses = [replace(use, overlaps={}) if index in apart else use for index, use in enumerate(uses)]
    values, overlaps = values_of(graph, uses, aliases)
    if buffers:
        values.append(Value(BUFFERS, buffers, -1, len(uses), align=BLOCK_ALIGNMENT))
    return Selection(selection.segments, tuple(values), allocate(values, overlaps))


class _Selector:
    def __init__(self, graph: Graph, aliases: Aliases, layers: Sequence[Sequence[KernelChoice]], goals: Goals) -> None:
        self._graph = graph
        self._aliases = aliases
        self._goals = goals
        peak = PeakMemory(graph, aliases, [choices[0].memory_use for choices in layers])
        single = [
            [LayerSegment(i, i, peak.bytes_during(i, i, c.scratch, c.overlaps), c.time, c) for c in choices]
            for i, choices in enumerate(layers)
        ]
        self._ram = layers[0][0].context.target.ram if layers else None
        self._unfused = Partition(single)
        frugal = [_frugal(segments) for segments in single]
        self._trades_ram = any(len(few) < len(all_) for few, all_ in zip(frugal, single, strict=True))
        self._frugal = Partition(frugal)
        self._fused = Partition(single, FusionGroups(graph, aliases, layers, peak))

    def best(self) -> Selection:
        """What the mode asks for, within the budgets."""
        found = self._select_for_mode()
        found = self._within_arena_budget(found)
        return self._within_flash_budget(found)

    def most_fused(self) -> Selection:
        """The fewest segments."""
        return self._lay_out(self._fused.cheapest(inf, lambda segment: 1.0))

    def pareto_front(self) -> list[Selection]:
        """What no other selection beats in both arena and time, the fastest first."""
        fastest = self._lay_out(self._unfused.cheapest(inf, _time))
        found = [fastest, *self._fastest_first(self._fused, fastest.arena, CURVE), self._smallest_arena(fastest)]
        front: list[Selection] = []
        for selection in sorted(found, key=lambda selection: (selection.time, selection.arena)):
            if not front or selection.arena < front[-1].arena:
                front.append(selection)
        return front

    def _select_for_mode(self) -> Selection:
        mode = self._goals.optimize
        if mode == "flash":
            starts = [self._frugal.cheapest(inf, _time), self._least_flash(inf)]
            return self._lay_out(worth_its_bytes(starts, lambda segment: self._frugal.segments_from(segment.first)))
        if mode == "balanced":
            return self._balanced()
        fastest = self._fastest()
        return fastest if mode == "time" else self._worth_its_bytes(self._smallest_arena(fastest))

    def _fastest(self) -> Selection:
        """The fastest selection; kernels that trade RAM for time leave room for what else lies there."""
        fastest = self._lay_out(self._unfused.cheapest(inf, _time))
        if not self._trades_ram or self._ram is None or fastest.arena <= TIME_RAM * self._ram:
            return fastest
        frugal = self._lay_out(self._frugal.cheapest(inf, _time))
        within = self._fastest_in(self._unfused, max(int(TIME_RAM * self._ram), frugal.arena))
        return frugal if within is None else min(within, frugal, key=lambda selection: selection.time)

    def _fastest_in(self, partition: Partition, limit: int) -> Selection | None:
        """The fastest selection found whose layout takes no more than `limit`."""
        return next(self._fastest_first(partition, limit), None)

    def _balanced(self) -> Selection:
        """A small arena, or a larger one within a share of the RAM that is faster by more than it gives away."""
        found = self._smallest_about_as_fast(self._frugal, self._lay_out(self._frugal.cheapest(inf, _time)))
        limit = found.arena
        if self._ram is not None:
            limit = max(limit, int(min(BALANCED_RAM * self._ram, BALANCED_ARENA * found.arena)))
        fastest = self._fastest_in(self._unfused, limit) if self._trades_ram else None
        if fastest is None or BALANCED_TIME * fastest.time >= found.time:
            return found
        return self._smallest_about_as_fast(self._unfused, fastest)

    def _smallest_about_as_fast(self, partition: Partition, fastest: Selection) -> Selection:
        """The smallest arena found for which "balanced" gives away time: no larger a share of it than of the arena."""
        slowest = BALANCED_TIME * fastest.time

        def is_worth_its_time(selection: Selection) -> bool:
            product = selection.time * selection.arena
            return selection.time <= slowest and product <= fastest.time * fastest.arena

        found = self._smallest_layout(partition, partition.lowest_peak(), fastest, is_worth_its_time)
        return self._fastest_within(found, partition)

    def _worth_its_bytes(self, smallest: Selection) -> Selection:
        """The smallest arena, or one up to RAM_MORE larger where every percent buys RAM_WORTH percent of time."""
        whole = max(smallest.arena, RAM_SMALL)

        def weight(arena: int, time: float) -> float:
            return time * float((1 + (arena - smallest.arena) / whole) ** RAM_WORTH)

        best = smallest
        limit = smallest.arena + max(int(RAM_MORE * smallest.arena), RAM_FEW)
        for trial in self._fastest_first(self._fused, limit, CURVE, _RAM_STEP):
            best = min(best, trial, key=lambda s: weight(s.arena, s.time))
            if weight(smallest.arena, trial.time) >= weight(best.arena, best.time):
                break  # smaller ones are slower
        return best

    def _fastest_first(
        self, partition: Partition, limit: int, attempts: int = ATTEMPTS, step: float = 0.0
    ) -> Iterator[Selection]:
        """Selections with an arena of at most `limit` bytes, slower and slower.

        From at most so many peaks, each smaller than the one before by a part `step` at least.
        """
        peak: float = limit
        for _ in range(attempts):
            segments = partition.cheapest(peak, _time)
            if not segments:
                return
            trial = self._lay_out(segments)
            if trial.arena <= limit:
                yield trial
            peak = min((1 - step) * peak, max(segment.peak for segment in segments) - 1)

    def _smallest_arena(self, start: Selection) -> Selection:
        """The smallest arena found, from whole layers or from fused rows; then the fastest selection in it."""
        unfused = self._smallest_layout(self._unfused, self._unfused.lowest_peak(), start, lambda s: True)
        lowest = self._fused.lowest_peak()
        fused = self._smallest_layout(self._fused, lowest, unfused, lambda s: True)
        if fused.arena > aligned(lowest):
            frugal = self._lay_out(self._fused.cheapest(lowest, lambda s: float(s.peak) * (s.last - s.first + 1)))
            fused = min(fused, frugal, key=_arena_then_time)
            # The distances by which outputs must begin before their inputs add up from layer to layer.
            fused = self._smallest_layout(
                self._fused, lowest, fused, lambda s: True, lambda s: s.write_distance + s.time / 1e12
            )
        return self._fastest_within(self._with_segments_exchanged(fused, lowest), self._fused)

    def _with_segments_exchanged(self, selection: Selection, lowest: int) -> Selection:
        """Exchanges one segment at a time for another of the same layers, while the arena exceeds the lowest peak."""
        for index in range(len(selection.segments)):
            if selection.arena <= aligned(lowest):
                break
            here = selection.segments[index]
            for other in self._fused.segments_from(here.first):
                same_layers = other.computation is not None and other.last == here.last
                if not same_layers or other is here or other.peak > selection.arena:
                    continue
                segments = [*selection.segments[:index], other, *selection.segments[index + 1 :]]
                selection = min(selection, self._lay_out(segments), key=_arena_then_time)
        return selection

    def _smallest_layout(
        self,
        partition: Partition,
        lowest: int,
        start: Selection,
        allowed: Callable[[Selection], bool],
        cost: SegmentCost = _time,
    ) -> Selection:
        """The smallest arena among the cheapest partitions for each peak from `lowest` on.

        Ends with the first layout that is no larger than its peak, or after ATTEMPTS more peaks.
        """
        found = start
        for attempt, peak in enumerate(peak for peak in partition.peaks() if peak >= lowest):
            segments = partition.cheapest(peak, cost)
            trial = self._lay_out(segments) if segments else start
            if allowed(trial):
                found = min(found, trial, key=_arena_then_time)
                if trial.arena <= aligned(peak):
                    break
            if attempt == ATTEMPTS:
                break
        return found

    def _fastest_within(self, selection: Selection, partition: Partition) -> Selection:
        """The fastest partition whose peaks the selection's arena holds, if its layout is no larger."""
        segments = partition.cheapest(selection.arena, _time)
        return min(selection, self._lay_out(segments), key=_arena_then_time) if segments else selection

    # --- budgets -----------------------------------------------------------------------------------------------------

    def _within_arena_budget(self, found: Selection) -> Selection:
        limit = self._goals.max_arena
        if limit is None or found.arena <= limit:
            return found
        found_in = (self._fastest_in(partition, limit) for partition in (self._unfused, self._fused))
        within = [selection for selection in found_in if selection is not None]
        if within:
            return min(within, key=lambda selection: selection.time)
        smallest = self._smallest_arena(found)
        if smallest.arena <= limit:
            return smallest
        over = smallest.arena - limit
        raise BudgetError(
            f"{self._graph.name}: the smallest arena found is {smallest.arena:,} bytes, {over:,} over the budget of "
            f"{limit:,}",
            hint=f"largest at {self._peak_layer(smallest)}; give more, or take a model with smaller tensors there",
        )

    def _within_flash_budget(self, found: Selection) -> Selection:
        limit = self._goals.max_flash
        if limit is None or found.flash <= limit:
            return found
        arena = self._goals.max_arena or inf
        within = min(arena, found.arena)
        # Scratch makes packed weights faster: only who wants a small arena gets them without.
        for max_peak in (within, arena) if self._goals.optimize == "ram" else (arena,):
            segments = within_flash(found.segments, partial(self._instead_of, max_peak=max_peak), limit)
            trial = self._lay_out(segments) if segments else found
            if trial.flash <= limit and trial.arena <= arena:
                return trial
        smallest = [self._lay_out(self._least_flash(max_peak)) for max_peak in (within, inf)]
        least = min(smallest, key=lambda selection: (selection.arena > arena, selection.flash))
        if least.flash <= limit and least.arena <= arena:
            return least
        both = f" in an arena of {self._goals.max_arena:,}" if self._goals.max_arena else ""
        raise BudgetError(
            f"{self._graph.name}: weights, tables and code take {least.flash:,} bytes of flash at least{both}, "
            f"{least.flash - limit:,} over the budget of {limit:,}",
            hint="give a larger --max-flash, or a model with fewer weights",
        )

    def _instead_of(self, segment: LayerSegment, max_peak: float) -> list[LayerSegment]:
        """Other kernels for a segment of one layer."""
        if segment.first != segment.last:
            return []
        return [s for s in self._unfused.segments_from(segment.first) if s.peak <= max_peak]

    def _peak_layer(self, selection: Selection) -> str:
        """The layer with the highest peak, in words for an error."""
        worst = max(selection.segments, key=lambda segment: segment.peak)
        node = worst.chosen.node
        names = ", ".join(f"'{self._graph.tensors[t].name}'" for t in node.outputs)
        return f"{node.op} of layer {worst.last}" + (f" into {names}" if names else "")

    def _least_flash(self, max_peak: float) -> list[LayerSegment]:
        """Few bytes of flash, with no peak over `max_peak`.

        Greedy: start from the kernel with the fewest bytes per layer; then drop the kernel function that saves most,
        wherever every layer that calls it has another kernel; repeat until no drop makes the total smaller. Then
        the same with kernels exchanged for others.
        """
        chosen = self._frugal.cheapest(max_peak, lambda segment: FlashEstimate([segment.chosen]).total)
        while chosen:
            now = FlashEstimate(segment.chosen for segment in chosen)
            trials = []
            for function in sorted(now.functions):
                trial = self._without_function(function, chosen, max_peak)
                if trial:
                    trials.append((FlashEstimate(segment.chosen for segment in trial).total, trial))
            best = min(trials, key=lambda item: item[0], default=(now.total, chosen))
            if best[0] >= now.total:
                break
            chosen = best[1]
        return fewest_bytes(chosen, partial(self._instead_of, max_peak=max_peak)) if chosen else []

    def _without_function(self, function: str, chosen: Sequence[LayerSegment], max_peak: float) -> list[LayerSegment]:
        """`chosen` with another kernel for every layer that calls `function`; none where a layer has no other."""
        kept = FlashEstimate(s.chosen for s in chosen if function not in FlashEstimate([s.chosen]).functions)
        found = []
        for segment in chosen:
            if function not in FlashEstimate([segment.chosen]).functions:
                found.append(segment)
                continue
            others = [
                s
                for s in self._frugal.segments_from(segment.first)
                if s.peak <= max_peak and function not in FlashEstimate([s.chosen]).functions
            ]
            if not others:
                return []
            found.append(min(others, key=lambda s: (kept.added_bytes(s.chosen), s.time)))
        return found

    def _lay_out(self, segments: Sequence[LayerSegment]) -> Selection:
        uses = [segment.chosen.memory_use for segment in segments]
        values, overlaps = values_of(self._graph, uses, self._aliases)
        return Selection(tuple(segments), tuple(values), allocate(values, overlaps))
