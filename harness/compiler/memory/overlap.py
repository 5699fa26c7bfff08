"""Overlap: how far a layer's output may lie over an input that it reads for the last time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.kernels.access_order import Steps


@dataclass(frozen=True)
class Overlap:
    """Safe distances in bytes from the input's first byte to the output's first byte.

    Attributes:
        below: every distance up to this is safe: every byte is read before it is overwritten.
        above: every distance from this on is safe.
        point: one more safe distance between the two, or None.
    """

    below: int
    above: int
    point: int | None = None

    def allows(self, distance: int) -> bool:
        """Whether a distance is safe."""
        return distance <= self.below or distance >= self.above or distance == self.point

    @property
    def nearest(self) -> int:
        """The safe distance from 0 downwards that is nearest to 0."""
        return max(min(self.below, 0), -(1 << 30) if self.point is None or self.point > 0 else self.point)

    def both(self, other: Overlap) -> Overlap:
        """Distances that both allow (a layer that reads the same bytes as two operands)."""
        point = self.point if self.point is not None and other.allows(self.point) else None
        if point is None and other.point is not None and self.allows(other.point):
            point = other.point
        return Overlap(min(self.below, other.below), max(self.above, other.above), point)


def is_safe(reads: Steps, writes: Steps, distance: int) -> bool:
    """Whether no input byte is overwritten before its last read, with the output `distance` bytes after the input.

    Exact: compares the steps of every input byte and the output byte in its place.
    """
    first, last = max(0, -distance), min(len(writes), len(reads) - distance)
    if first >= last:
        return True
    return bool((writes[first:last] >= reads[first + distance : last + distance]).all())


def overlap_of(reads: Steps, writes: Steps, pitch: int = 0) -> Overlap:
    """The safe distances, from the steps that last read each input byte and first write each output byte.

    After step s the output is written up to byte W(s) and the input still read from byte R(s) on: below is the minimum
    over s of R(s) - W(s). The same from the other end gives above. `point` is a safe multiple of `pitch` of at most 0
    that is greater than `below`, or None.
    """
    steps = int(max(writes.max(initial=0), reads.max(initial=0))) + 1
    size_in, size_out = len(reads), len(writes)
    at = np.arange(size_out)
    ends = np.zeros(steps, np.int64)
    np.maximum.at(ends, writes, at + 1)
    starts = np.full(steps, size_out, np.int64)
    np.minimum.at(starts, writes, at)
    read = np.flatnonzero(reads >= 0)
    lowest = np.full(steps + 1, size_in, np.int64)
    np.minimum.at(lowest, reads[read], read)
    highest = np.zeros(steps + 1, np.int64)
    np.maximum.at(highest, reads[read], read + 1)
    written_to, written_from = np.maximum.accumulate(ends), np.minimum.accumulate(starts)
    # The first and one past the last input byte that is still read after step s.
    still_from = np.minimum.accumulate(lowest[::-1])[::-1][1:]
    still_to = np.maximum.accumulate(highest[::-1])[::-1][1:]
    below = int(np.where(still_to > 0, still_from - written_to, size_in)[written_to > 0].min(initial=size_in))
    above = int(np.where(still_to > 0, still_to - written_from, -size_out)[written_to > 0].max(initial=-size_out))
    return Overlap(below, above, _point(reads, writes, pitch, below))


def _point(reads: Steps, writes: Steps, pitch: int, below: int) -> int | None:
    """A safe multiple of `pitch` from 0 down to `below`: the greatest, if safety is monotonic, by binary search."""
    if below >= 0 or is_safe(reads, writes, 0):
        return 0 if below < 0 else None
    if not pitch:
        return None
    near, far = 0, -below // pitch + 1
    while far - near > 1:
        middle = (near + far) // 2
        near, far = (near, middle) if is_safe(reads, writes, -middle * pitch) else (middle, far)
    return -far * pitch if far * pitch < -below and is_safe(reads, writes, -far * pitch) else None
