"""The mode "flash": few bytes of weights, tables and code, but none saved that costs much time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.fusion.partition import LayerSegment
from harness.compiler.goals import FLASH_MORE, FLASH_WORTH

Segments = Sequence[LayerSegment]
Offered = Callable[[LayerSegment], Segments]


def worth_its_bytes(starts: Sequence[Segments], offered: Offered) -> list[LayerSegment]:
    """The best of the selections, with kernels exchanged while every percent of flash buys FLASH_WORTH percent of time.

    Args:
        starts: selections, each with one layer a segment; the smallest of them is what percents are of.
        offered: what a segment may be exchanged for.
    """
    sized = [_Sized.of(start) for start in starts]
    least = min(selection.flash for selection in sized)
    return _exchanged(sized, offered, lambda selection: selection.weight(least))


def fewest_bytes(start: Segments, offered: Offered) -> list[LayerSegment]:
    """The selection, with kernels exchanged while that makes it smaller."""
    return _exchanged([_Sized.of(start)], offered, lambda selection: selection.flash)


def _exchanged(starts: Sequence[_Sized], offered: Offered, weight: Callable[[_Sized], float]) -> list[LayerSegment]:
    """From the best start on the best exchange of a kind of kernel, until none makes the weight less."""
    best = min(starts, key=weight)
    while True:
        found = min([best, *map(_Sized.of, _kinds(best.segments, offered))], key=weight)
        if found is best:
            return list(best.segments)
        best = found


@dataclass(frozen=True)
class _Sized:
    segments: Segments
    flash: int
    time: float

    @classmethod
    def of(cls, segments: Segments) -> _Sized:
        flash = FlashEstimate(segment.chosen for segment in segments).total
        return cls(segments, flash, sum(segment.time for segment in segments))

    def weight(self, least: int) -> float:
        """What is to be small: time, times (flash / the least flash) ** FLASH_WORTH; infinite beyond FLASH_MORE."""
        ratio = self.flash / max(least, 1)
        return self.time * ratio**FLASH_WORTH if ratio <= 1 + FLASH_MORE else float("inf")


def _kinds(segments: Segments, offered: Offered) -> Iterator[list[LayerSegment]]:
    """For each kernel: the segments, with it wherever it applies; wherever it is faster; and wherever it is smaller."""
    by_kernel: dict[object, dict[int, LayerSegment]] = {}
    for index, segment in enumerate(segments):
        for other in offered(segment):
            if isinstance(other.computation, KernelChoice) and other is not segment:
                by_kernel.setdefault(other.computation.kernel, {})[index] = other
    for others in by_kernel.values():
        for allowed in (_any, _faster, _smaller):
            changed = {i: other for i, other in others.items() if allowed(segments[i], other)}
            if changed:
                yield [changed.get(i, segment) for i, segment in enumerate(segments)]


def _any(_before: LayerSegment, _after: LayerSegment) -> bool:
    return True


def _faster(before: LayerSegment, after: LayerSegment) -> bool:
    return after.time < before.time


def _smaller(before: LayerSegment, after: LayerSegment) -> bool:
    return _tables(after) < _tables(before)


def _tables(segment: LayerSegment) -> int:
    chosen = segment.chosen
    return chosen.constant_bytes if isinstance(chosen, KernelChoice) else 0
