"""Damaging .tflite files: blindly, and exactly where the reader looks."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from harness.errors import TinyhilError
from harness.frontends.tflite import flatbuffer
from harness.frontends.tflite import reader as tflite
from harness.quantization.types import Array

Rng = np.random.Generator
_BOUNDARIES = (0, 1, 2, 3, 4, 5, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 1 << 24, (1 << 31) - 1, 1 << 31)


@dataclass(frozen=True, eq=False)
class Seed:
    """A sound file, and the byte ranges (start, size) that reading it looked at, weights left out.

    Attributes:
        places: all of them: offsets, vtables, vector lengths and values.
        values: those that hold a value: shapes, tensor numbers, options, scales, zero points.
    """

    name: str
    data: bytes
    places: tuple[tuple[int, int], ...]
    values: tuple[tuple[int, int], ...]


def seed(name: str, data: bytes) -> Seed:
    """Reads a file while recording every place that the reader looks at."""
    found: set[tuple[int, int]] = set()
    values: set[tuple[int, int]] = set()
    with _recording(found, values):
        try:
            tflite.load(data)
        except TinyhilError:
            pass  # a file that is refused is a seed too
    return Seed(name, data, tuple(sorted(found)), tuple(sorted(values)))


@contextmanager
def _recording(found: set[tuple[int, int]], values: set[tuple[int, int]]) -> Iterator[None]:
    unpack, array, scalar = flatbuffer.unpack, flatbuffer.FlatTable.array, flatbuffer.FlatTable.scalar

    def recorded_unpack(kind: str, data: bytes, at: int, place: str) -> int:
        value = unpack(kind, data, at, place)
        found.add((at, struct.calcsize(kind)))
        return value

    def recorded_array(self: flatbuffer.FlatTable, offset: int, dtype: str, place: str) -> Array:
        numbers = array(self, offset, dtype, place)
        if len(numbers) and dtype != "<u1":
            start, count = self.vector(offset, numbers.itemsize, place)
            spots = {(start + i * numbers.itemsize, numbers.itemsize) for i in range(min(count, 64))}
            found.update(spots)
            values.update(spots)
        return numbers

    def recorded_scalar(self: flatbuffer.FlatTable, offset: int, kind: str) -> int | float | None:
        if at := self.field(offset):
            values.add((at, struct.calcsize(kind)))
        return scalar(self, offset, kind)

    table = flatbuffer.FlatTable
    flatbuffer.unpack, table.array, table.scalar = recorded_unpack, recorded_array, recorded_scalar
    try:
        yield
    finally:
        flatbuffer.unpack, table.array, table.scalar = unpack, array, scalar


def mutate(seeds: list[Seed], number: int) -> tuple[str, bytes]:
    """The number-th damaged file, and how it was made; the same number always gives the same file."""
    rng = np.random.default_rng((2026, number))
    chosen = seeds[int(rng.integers(len(seeds)))]
    data, how = bytearray(chosen.data), [chosen.name]
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        kind = _KINDS[int(rng.integers(len(_KINDS)))]
        kind(rng, data, chosen)
        how.append(kind.__name__.strip("_"))
        if len(data) < 4:
            break
    return " ".join(how), bytes(data)


def _spot(rng: Rng, data: bytearray, size: int = 1) -> int:
    return int(rng.integers(max(len(data) - size, 1)))


def _flip_bits(rng: Rng, data: bytearray, seed: Seed) -> None:
    for _ in range(int(rng.integers(1, 9))):
        data[_spot(rng, data)] ^= 1 << int(rng.integers(8))


def _overwrite_bytes(rng: Rng, data: bytearray, seed: Seed) -> None:
    at = _spot(rng, data)
    count = min(int(rng.integers(1, 17)), len(data) - at)
    data[at : at + count] = rng.bytes(count)


def _truncate(rng: Rng, data: bytearray, seed: Seed) -> None:
    del data[_spot(rng, data) :]


def _chunk(rng: Rng, data: bytearray) -> tuple[int, int]:
    at = _spot(rng, data) & ~3
    return at, int(rng.choice((4, 8, 12, 16, 64, 256, 4096)))


def _double_chunk(rng: Rng, data: bytearray, seed: Seed) -> None:
    at, size = _chunk(rng, data)
    data[at:at] = data[at : at + size]


def _drop_chunk(rng: Rng, data: bytearray, seed: Seed) -> None:
    at, size = _chunk(rng, data)
    del data[at : at + size]


def _boundary(rng: Rng) -> int:
    value = _BOUNDARIES[int(rng.integers(len(_BOUNDARIES)))]
    return value if rng.integers(2) else -value


def _put(data: bytearray, at: int, size: int, value: int) -> None:
    at = min(at, len(data))
    size = min(size, len(data) - at)
    data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little") if size else b""


def _aligned_boundary(rng: Rng, data: bytearray, seed: Seed) -> None:
    _put(data, _spot(rng, data) & ~3, 4, _boundary(rng))


def _place(rng: Rng, seed: Seed) -> tuple[int, int]:
    places = seed.places if rng.integers(3) == 0 else seed.values
    return places[int(rng.integers(len(places)))]


def _boundary_where_read(rng: Rng, data: bytearray, seed: Seed) -> None:
    _put(data, *_place(rng, seed), _boundary(rng))


def _nudge_where_read(rng: Rng, data: bytearray, seed: Seed) -> None:
    at, size = _place(rng, seed)
    _put(data, at, size, int.from_bytes(data[at : at + size], "little") + int(rng.integers(-5, 6)))


def _random_where_read(rng: Rng, data: bytearray, seed: Seed) -> None:
    at, size = _place(rng, seed)
    _put(data, at, size, int.from_bytes(rng.bytes(size), "little"))


def _copy_where_read(rng: Rng, data: bytearray, seed: Seed) -> None:
    """One field's value into another, such as one table's offset into another's place."""
    (source, _), (at, size) = _place(rng, seed), _place(rng, seed)
    _put(data, at, size, int.from_bytes(data[source : source + size], "little"))


def _redirect_where_read(rng: Rng, data: bytearray, seed: Seed) -> None:
    """An offset to somewhere else that is read, so that tables are read as other tables."""
    (target, _), (at, size) = _place(rng, seed), _place(rng, seed)
    _put(data, at, size, target - at)


_KINDS: tuple[Callable[[Rng, bytearray, Seed], None], ...] = (
    _flip_bits,
    _overwrite_bytes,
    _truncate,
    _double_chunk,
    _drop_chunk,
    _aligned_boundary,
    _boundary_where_read,
    _boundary_where_read,
    _boundary_where_read,
    _nudge_where_read,
    _nudge_where_read,
    _random_where_read,
    _copy_where_read,
    _redirect_where_read,
)
