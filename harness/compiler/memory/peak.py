"""What a layer needs in the arena while it runs, by the kernel that computes it: independent of all other kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.compiler.memory.arena import shared
from harness.compiler.memory.lifetimes import Use, covered, values_of
from harness.compiler.memory.overlap import Overlap
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph


class PeakMemory:
    """Lifetimes of a graph's values while each of its layers runs by itself.

    No placement needs less than the largest need of the kernels chosen, and seldom does one need more.
    """

    def __init__(self, graph: Graph, views: Aliases, uses: Sequence[Use]) -> None:
        bare = [Use(use.reads, use.writes) for use in uses]
        self._values, _ = values_of(graph, bare, views)
        self._value_of = {t: i for i, v in enumerate(self._values) for t in v.tensors}
        self._end = len(uses)

    def of(self, first: int, last: int, scratch: Sequence[int], overlaps: Mapping[tuple[int, int], Overlap]) -> int:
        """Bytes needed while layers `first` to `last` run as one, with all that must outlive them; alignment left out.

        What only these layers write and read is left out: it is theirs to keep, in scratch.
        """
        spans: dict[int, list[tuple[int, int]]] = {}
        for i, v in enumerate(self._values):
            inner = first <= v.first and v.last <= last and first != last and v.first < last
            if v.first <= last and v.last >= first and not inner:
                spans.setdefault(i if v.inside is None else v.inside, []).append((v.at, v.at + v.size))
        total = sum(covered(parts) for parts in spans.values()) + sum(scratch)
        saved: dict[int, int] = {}
        for (written, read), overlap in overlaps.items():
            over, under = self._value_of.get(written), self._value_of.get(read)
            if over is None or under is None or over == under:
                continue
            if first <= self._values[over].first and self._values[under].last <= last:
                most = shared(self._values[over].size, self._values[under].size, overlap)
                saved[over] = saved.get(over, 0) + most
        return total - sum(min(most, self._values[over].size) for over, most in saved.items())
