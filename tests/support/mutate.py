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
        kinds: (start, struct's character for its type) of each value.
    """

    name: str
    data: bytes
    places: tuple[tuple[int, int], ...]
    values: tuple[tuple[int, int], ...]
    kinds: tuple[tuple[int, str], ...] = ()


def seed(name: str, data: bytes) -> Seed:
    """Reads a file while recording every place that the reader looks at."""
    found: set[tuple[int, int]] = set()
    values: set[tuple[int, int]] = set()
    kinds: set[tuple[int, str]] = set()
    with _recording(found, values, kinds):
        try:
            tflite.load(data)
        except TinyhilError:
            pass  # a file that is refused is a seed too
    return Seed(name, data, tuple(sorted(found)), tuple(sorted(values)), tuple(sorted(kinds)))


@contextmanager
def _recording(
    found: set[tuple[int, int]], values: set[tuple[int, int]], kinds: set[tuple[int, str]]
) -> Iterator[None]:
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
            kinds.update((at, numbers.dtype.char.replace("l", "q")) for at, _ in spots)
        return numbers

    def recorded_scalar(self: flatbuffer.FlatTable, offset: int, kind: str) -> int | float | None:
        if at := self.field(offset):
            values.add((at, struct.calcsize(kind)))
            kinds.add((at, kind.strip("<")))
        return scalar(self, offset, kind)

    table = flatbuffer.FlatTable
    flatbuffer.unpack, table.array, table.scalar = recorded_unpack, recorded_array, recorded_scalar
    try:
        yield
    finally:
        flatbuffer.unpack, table.array, table.scalar = unpack, array, scalar


def mutate(seeds: list[Seed], number: int, *, deep: bool = False) -> tuple[str, bytes]:
    """The number-th damaged file, and how it was made; the same number always gives the same file.

    deep: mostly values change, so that many files are read, and mean something else.
    """
    rng = np.random.default_rng((2026, number))
    kinds = _KINDS if not deep or rng.integers(3) == 0 else _VALUE_KINDS
    chosen = seeds[int(rng.integers(len(seeds)))]
    data, how = bytearray(chosen.data), [chosen.name]
    for _ in range(int(rng.choice((1, 1, 1, 2, 3)))):
        kind = kinds[int(rng.integers(len(kinds)))]
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


def _value(rng: Rng, seed: Seed, kinds: str) -> tuple[int, str] | None:
    """A place that holds a value of one of these kinds, such as "f"; None where the file has none."""
    places = [place for place in seed.kinds if place[1] in kinds]
    return places[int(rng.integers(len(places)))] if places else None


def _swap_values(rng: Rng, data: bytearray, seed: Seed) -> None:
    """Two values of one kind change places: operators, tensors, sides of a shape, scales, options."""
    first = _value(rng, seed, "fiIbBq")
    second = None if first is None else _value(rng, seed, first[1])
    if first is None or second is None:
        return
    size = struct.calcsize(first[1])
    a, b = (bytes(data[at : at + size]) for at in (first[0], second[0]))
    if len(a) == len(b) == size:
        data[first[0] : first[0] + size], data[second[0] : second[0] + size] = b, a


def _copy_value(rng: Rng, data: bytearray, seed: Seed) -> None:
    """One value in the place of another of its kind."""
    first = _value(rng, seed, "fiIbBq")
    second = None if first is None else _value(rng, seed, first[1])
    if first is not None and second is not None:
        size = struct.calcsize(first[1])
        _put(data, first[0], size, int.from_bytes(data[second[0] : second[0] + size], "little"))


def _swap_neighbours(rng: Rng, data: bytearray, seed: Seed) -> None:
    """Two numbers side by side change places, as the height and width of a shape."""
    place = _value(rng, seed, "i")
    if place is not None and place[0] + 8 <= len(data):
        at = place[0]
        data[at : at + 8] = data[at + 4 : at + 8] + data[at : at + 4]


def _scale_float(rng: Rng, data: bytearray, seed: Seed) -> None:
    """A scale or another real number becomes another."""
    place = _value(rng, seed, "f")
    if place is None or place[0] + 4 > len(data):
        return
    old = struct.unpack_from("<f", data, place[0])[0]
    factor = float(rng.choice((0.0, -1.0, 0.5, 2.0, 1e-6, 1e6, 1e-30, 1e30, float("nan"), float("inf"))))
    if rng.integers(2):
        factor = float(np.exp(rng.normal()))
    with np.errstate(all="ignore"):
        struct.pack_into("<f", data, place[0], float(np.float32(old * factor)))


def _other_zero_point(rng: Rng, data: bytearray, seed: Seed) -> None:
    """A 64-bit number, as zero points are, within int8 or just beyond."""
    place = _value(rng, seed, "q")
    if place is not None:
        _put(data, place[0], 8, int(rng.integers(-130, 131)))


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
_VALUE_KINDS: tuple[Callable[[Rng, bytearray, Seed], None], ...] = (
    _swap_values,
    _copy_value,
    _swap_neighbours,
    _scale_float,
    _other_zero_point,
    _flip_bits,
    _nudge_where_read,
)
