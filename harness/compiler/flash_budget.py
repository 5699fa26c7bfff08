"""Kernels exchanged for smaller ones, layer by layer, until a budget of flash is kept.

Each time the exchange that saves most bytes per modelled cycle that it costs: layers whose weights pack well and run
about as fast packed come first, and the others stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from harness.compiler.cost.flash import flash_parts
from harness.compiler.fusion.partition import LayerSegment

Parts = Mapping[object, int]
"""Bytes of each part of a layer's code and tables."""

LEAST_CYCLES = 1.0
"""What an exchange is taken to cost at least: among those that cost nothing the one that saves most comes first."""


def within_flash(
    segments: Sequence[LayerSegment], others: Callable[[LayerSegment], Sequence[LayerSegment]], limit: int
) -> list[LayerSegment]:
    """The segments, some of them exchanged, of `limit` estimated bytes at most; none where no more exchange saves any.

    Args:
        segments: in order.
        others: what a segment may be exchanged for.
        limit: bytes, as harness/compiler/cost/flash.py estimates them.
    """
    chosen = list(segments)
    offered = [[(other, _parts(other)) for other in others(segment)] for segment in chosen]
    parts = [_parts(segment) for segment in chosen]
    sizes: dict[object, int] = {}
    uses: Counter[object] = Counter()
    for part in parts:
        sizes |= part
        uses.update(part.keys())
    total = sum(sizes.values())
    while total > limit:
        best: tuple[float, int, LayerSegment, Parts] | None = None
        saved = 0
        for index, choices in enumerate(offered):
            for other, new in choices:
                less = _saving(uses, parts[index], new)
                worth = less / max(other.time - chosen[index].time, LEAST_CYCLES)
                if less > 0 and (best is None or worth > best[0]):
                    best, saved = (worth, index, other, new), less
        if best is None:
            return []
        _, index, chosen[index], new = best
        uses.subtract(parts[index].keys())
        uses.update(new.keys())
        parts[index], total = new, total - saved
    return chosen


def _parts(segment: LayerSegment) -> Parts:
    return flash_parts(segment.chosen)


def _saving(uses: Counter[object], old: Parts, new: Parts) -> int:
    """Bytes less where a layer of parts `old` gets those of `new`."""
    freed = sum(size for part, size in old.items() if uses[part] == 1 and part not in new)
    added = sum(size for part, size in new.items() if uses[part] == 0)
    return freed - added
