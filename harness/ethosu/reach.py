"""What the NPU reaches over its bus: fetched before a stream runs, and what it changed put back after it.

Regions may lie in one another, as fast memory does in the arena: they are views of the same bytes here, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.ethosu.memory import Bytes

_GAP = 32
"""Unchanged bytes between changed ones that are written with them, as another write costs more."""


class NoMemoryError(Exception):
    """The bus has no memory at an address."""


class NpuBus(Protocol):
    """The memory behind the NPU's ports, by address."""

    def read(self, address: int, size: int) -> bytes:
        """Bytes. Raises NoMemoryError."""

    def write(self, address: int, data: bytes) -> None:
        """Changes bytes. Raises NoMemoryError."""

    def constant(self, address: int, size: int) -> bool:
        """Whether all of them are in memory that the NPU cannot change."""

    def reach(self, address: int) -> int:
        """Bytes from an address to the end of its memory; 0 where there is none."""


@dataclass(frozen=True)
class _Fetched:
    address: int
    before: bytes
    content: Bytes

    @property
    def end(self) -> int:
        return self.address + len(self.before)


class Reach:
    """The memories of one run.

    Attributes:
        regions: number -> its bytes; those of constant memory cannot be written.
    """

    def __init__(self, bus: NpuBus, places: Mapping[int, tuple[int, int]]) -> None:
        """Fetches them.

        Args:
            bus: where they are.
            places: region -> address and bytes, more than 0.

        Raises:
            NoMemoryError: the bus has no memory in some of them.
        """
        self._bus = bus
        self._blocks = [_fetched(bus, start, end) for start, end in _merged(tuple(places.values()))]
        self.regions: dict[int, Bytes] = {}
        for region, (address, size) in places.items():
            block = next(b for b in self._blocks if b.address <= address and address + size <= b.end)
            self.regions[region] = block.content[address - block.address :][:size]

    def put_back(self) -> int:
        """Writes what has changed; returns how many bytes. Raises NoMemoryError."""
        written = 0
        for block in self._blocks:
            if block.content.flags.writeable:
                for start, end in _changes(np.frombuffer(block.before, np.uint8), block.content):
                    self._bus.write(block.address + start, block.content[start:end].tobytes())
                    written += end - start
        return written


def _merged(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(start, end) of ranges that share no byte."""
    out: list[tuple[int, int]] = []
    for address, size in sorted(places):
        if out and address < out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], address + size)
        else:
            out.append((address, address + size))
    return out


def _fetched(bus: NpuBus, start: int, end: int) -> _Fetched:
    before = bus.read(start, end - start)
    content = np.frombuffer(before, np.uint8)
    return _Fetched(start, before, content if bus.constant(start, end - start) else content.copy())


def _changes(before: Bytes, after: Bytes) -> list[tuple[int, int]]:
    """(start, end) of the bytes that differ, near ones together."""
    places = np.flatnonzero(before != after)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > _GAP)
    starts = places[np.concatenate(([0], breaks + 1))]
    ends = places[np.concatenate((breaks, [len(places) - 1]))] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
