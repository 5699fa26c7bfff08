"""Peak memory: bytes of arena needed while a layer runs; depends on its own kernel, not on those of other layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.compiler.memory.arena import max_shared
from harness.compiler.memory.lifetimes import MemoryUse, union_size, values_of
from harness.compiler.memory.overlap import Overlap
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph


class PeakMemory:
    """Peak memory of a graph's layers, from the lifetimes of its values with no layers fused.

    The highest peak of the chosen kernels is a lower bound of the arena, and most layouts meet it.
    """

    def __init__(self, graph: Graph, aliases: Aliases, uses: Sequence[MemoryUse]) -> None:
        bare = [MemoryUse(use.reads, use.writes, blocks=use.blocks) for use in uses]
        self._values, _ = values_of(graph, bare, aliases)
        self._value_of = {t: i for i, v in enumerate(self._values) for t in v.tensors}
        self._alive: dict[int, list[int]] = {}
        self._begun: dict[int, list[int]] = {}
        for i, v in enumerate(self._values):
            self._begun.setdefault(v.first, []).append(i)
            for layer in range(v.first, v.last + 1):
                self._alive.setdefault(layer, []).append(i)

    def bytes_during(
        self, first: int, last: int, scratch: Sequence[int], overlaps: Mapping[tuple[int, int], Overlap]
    ) -> int:
        """Bytes of arena while layers `first` to `last` run, fused where they are several; alignment left out.

        Counts their inputs, outputs and scratch and all values that live across them, less what outputs and inputs can
        share. Tensors between fused layers are left out: their rows are in scratch.
        """
        spans: dict[int, list[tuple[int, int]]] = {}
        during = [*self._alive.get(first, ()), *(i for t in range(first + 1, last + 1) for i in self._begun.get(t, ()))]
        for i in during:
            v = self._values[i]
            inner = first <= v.first and v.last <= last and first != last and v.first < last
            if not inner:
                spans.setdefault(i if v.inside is None else v.inside, []).append((v.at, v.at + v.size))
        total = sum(union_size(parts) for parts in spans.values()) + sum(scratch)
        saved: dict[int, int] = {}
        for (written, read), overlap in overlaps.items():
            over, under = self._value_of.get(written), self._value_of.get(read)
            if over is None or under is None or over == under:
                continue
            if first <= self._values[over].first and self._values[under].last <= last:
                most = max_shared(self._values[over].size, self._values[under].size, overlap)
                saved[over] = saved.get(over, 0) + most
        return total - sum(min(most, self._values[over].size) for over, most in saved.items())
