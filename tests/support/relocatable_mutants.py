"""Damaged relocatable models: blindly, and in every field that the runtime reads, with and without right hashes."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.quantization.types import DType
from harness.relocatable import format as form
from harness.relocatable.format import LayerOutput, RelocatableModel, RelocatableTensor
from harness.relocatable.numbers import number as number_of

Rng = np.random.Generator
HEADER = form.HEADER.size
CORNERS = (
    0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 33, 255, 256, 257, HEADER - 1, HEADER, HEADER + 1, 4096, 16384, 65535, 65536,
    (1 << 28) - 1, 1 << 28, (1 << 29), (1 << 30) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - HEADER, (1 << 32) - 8,
    (1 << 32) - 1,
)  # fmt: skip
_AT = {
    "total": 8, "code": 24, "tensors": 56, "body_crc": HEADER - 88, "body_sha": HEADER - 84, "weights": HEADER - 52,
    "weights_crc": HEADER - 48, "weights_sha": HEADER - 44,
}  # fmt: skip
FIELDS = (
    *((at, 2) for at in (4, 6, 12, 14, 16, 18, 20, 22, 56, 58)),
    *((at, 4) for at in (0, 8, *range(24, 56, 4), *range(60, 80, 4))),
    *((HEADER - at, 4) for at in (88, 84, 52, 48, 44, 12, 4)),
)
"""(offset, bytes) of the numbers in the header."""


@dataclass(frozen=True)
class Sound:
    """A file that is right, and where its tables are."""

    file: bytes
    weights: bytes | None
    tables: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Mutant:
    """A damaged file.

    Attributes:
        how: what was done to it.
        hashed: its hashes were made right again, but perhaps that of the weights.
    """

    file: bytes
    weights: bytes | None
    how: str
    hashed: bool


def sound_files() -> tuple[Sound, ...]:
    """Of several forms: few and many tensors, every type, no layers, weights inside and apart."""
    plain = RelocatableModel(
        name="kws", version="1.2.3", model_sha256="ab" * 32, core="cortex-m4", features=frozenset({"dsp"}), align=4,
        weights_align=0, total_bytes=0, code_offset=0, code_bytes=0, init=HEADER, invoke=HEADER + 30,
        arena_bytes=600, arena_align=16, context_bytes=8, stack_bytes=100,
        inputs=(RelocatableTensor("x", DType.INT8, (1, 7, 10, 1), 16, 70, 0.5, -3),),
        outputs=(RelocatableTensor("y", DType.FLOAT32, (2, 3), 96, 24),),
        layers=((LayerOutput(0, 100), LayerOutput(100, 7)), (), (LayerOutput(596, 4),)),
    )  # fmt: skip
    offset, every = 0, []
    for number, dtype in enumerate(DType):
        offset = -(-offset // 8) * 8
        every.append(RelocatableTensor(f"t{number}", dtype, (number, 2), offset, number * 2 * dtype.size))
        offset += number * 2 * dtype.size
    many = replace(plain, inputs=tuple(every), outputs=(), layers=(), arena_bytes=offset, align=16, context_bytes=32)
    scalar = replace(plain, inputs=(), outputs=(RelocatableTensor("s", DType.INT64, (), 0, 8),), arena_bytes=8)
    scalar = replace(scalar, layers=((LayerOutput(0, 8),),))
    rng = np.random.default_rng(5)
    code = rng.bytes(60)
    apart = replace(plain, weights_align=16)
    body = form.body_of(form.pack(plain, code)[0])
    weights = form.pack_weights(rng.bytes(70), body.sha256)
    files = [(form.pack(model, code + rng.bytes(5))[0], None) for model in (plain, many, scalar)]
    files.append((form.pack(apart, code, weights)[0], weights))
    return tuple(Sound(file, held, _tables(file)) for file, held in files)


def _tables(file: bytes) -> tuple[tuple[int, int], ...]:
    """(offset, bytes) of every number in the tables."""
    inputs, outputs, tensors, layers, layers_at, regions, regions_at = struct.unpack_from("<HHIIIII", file, 56)
    found = []
    size = number_of("TENSOR_BYTES")
    for index in range(inputs + outputs):
        at = tensors + size * index
        found += [(at, 1), (at + 1, 1), (at + 2, 2), *((at + more, 4) for more in range(4, 52, 4)), (at + size - 1, 1)]
    found += [(layers_at + 2 * index, 2) for index in range(2 * layers)]
    found += [(regions_at + 4 * index, 4) for index in range(2 * regions)]
    return tuple(found)


def mutant(sound: Sequence[Sound], number: int) -> Mutant:
    """The number-th damaged file; the same number always gives the same one."""
    rng = np.random.default_rng((16, number))
    chosen = sound[int(rng.integers(len(sound)))]
    file, weights = bytearray(chosen.file), None if chosen.weights is None else bytearray(chosen.weights)
    how = []
    for _ in range(int(rng.choice((1, 1, 2, 3)))):
        kind = _KINDS[int(rng.integers(len(_KINDS)))]
        kind(rng, file, chosen)
        how.append(kind.__name__.strip("_"))
    if weights is not None and rng.integers(3) == 0:
        weights = _other_weights(rng, weights)
        how.append("other weights")
    hashed = int(rng.integers(3))
    if hashed:
        make_right(file, weights if hashed == 2 else None)
        how.append("header right" if hashed == 1 else "all right")
    return Mutant(bytes(file), None if weights is None else bytes(weights), ", ".join(how), hashed > 0)


def make_right(file: bytearray, weights: bytearray | None) -> None:
    """Every hash that the file holds becomes that of its bytes, as far as these are there."""
    if len(file) < HEADER:
        return
    body = bytes(file[HEADER : struct.unpack_from("<I", file, _AT["total"])[0]])
    struct.pack_into("<I32s", file, _AT["body_crc"], zlib.crc32(body), hashlib.sha256(body).digest())
    size = struct.unpack_from("<I", file, _AT["weights"])[0]
    if weights is not None and size:
        if len(weights) >= 48:
            weights[16:48] = hashlib.sha256(body).digest()
        held = bytes(weights[:size])
        struct.pack_into("<I32s", file, _AT["weights_crc"], zlib.crc32(held), hashlib.sha256(held).digest())
    struct.pack_into("<I", file, HEADER - 4, zlib.crc32(bytes(file[: HEADER - 4])))


def _spot(rng: Rng, file: bytearray) -> int:
    return int(rng.integers(max(len(file), 1)))


def _put(file: bytearray, at: int, size: int, value: int) -> None:
    if at + size <= len(file):
        file[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _number(rng: Rng, file: bytearray, at: int, size: int) -> int:
    """A corner, something near what is there or near the sizes of the file and arena, or anything."""
    old = int.from_bytes(file[at : at + size], "little")
    near = int(rng.choice((old, len(file), *struct.unpack_from("<I", bytes(file).ljust(HEADER), 40))))
    return (
        CORNERS[int(rng.integers(len(CORNERS)))],
        near + int(rng.integers(-9, 10)),
        old ^ (1 << int(rng.integers(8 * size))),
        int(rng.integers(1 << 32)),
    )[int(rng.integers(4))]


def _flip(rng: Rng, file: bytearray, sound: Sound) -> None:
    for _ in range(int(rng.integers(1, 9)) if file else 0):
        file[_spot(rng, file)] ^= 1 << int(rng.integers(8))


def _header_field(rng: Rng, file: bytearray, sound: Sound) -> None:
    at, size = FIELDS[int(rng.integers(len(FIELDS)))]
    _put(file, at, size, _number(rng, file, at, size))


def _table_field(rng: Rng, file: bytearray, sound: Sound) -> None:
    at, size = sound.tables[int(rng.integers(len(sound.tables)))]
    _put(file, at, size, _number(rng, file, at, size))


def _shape(rng: Rng, file: bytearray, sound: Sound) -> None:
    """A tensor of other extents, whose bytes may be their product modulo 2^32."""
    at = struct.unpack_from("<I", sound.file, 60)[0]
    extents = [CORNERS[int(rng.integers(len(CORNERS)))] for _ in range(int(rng.integers(9)))]
    size = int(rng.choice((1, 2, 4, 8)))
    for extent in extents:
        size *= extent
    _put(file, at + 1, 1, len(extents))
    for index, extent in enumerate(extents):
        _put(file, at + 20 + 4 * index, 4, extent)
    _put(file, at + 8, 4, size)


def _truncate(rng: Rng, file: bytearray, sound: Sound) -> None:
    del file[_spot(rng, file) :]


def _truncate_and_say_so(rng: Rng, file: bytearray, sound: Sound) -> None:
    del file[HEADER + int(rng.integers(max(len(file) - HEADER, 1))) :]
    _put(file, _AT["total"], 4, len(file))


def _within_the_header(rng: Rng, file: bytearray, sound: Sound) -> None:
    """No tables, code within the header, and a file that ends there."""
    total, code = int(rng.integers(HEADER + 8)), int(rng.integers(HEADER)) & ~1
    _put(file, _AT["total"], 4, total)
    for at, value in zip(range(24, 40, 4), (code, int(rng.integers(HEADER)), code, code), strict=True):
        _put(file, at, 4, value)
    for at in range(_AT["tensors"], 80, 4):
        _put(file, at, 4, 0)


def _append(rng: Rng, file: bytearray, sound: Sound) -> None:
    file += rng.bytes(int(rng.integers(1, 40)))


def _swap(rng: Rng, file: bytearray, sound: Sound) -> None:
    """Two parts change places."""
    size = int(rng.choice((2, 4, 8, 32, 96)))
    a, b = _spot(rng, file) & ~1, _spot(rng, file) & ~1
    if max(a, b) + size <= len(file) and abs(a - b) >= size:
        file[a : a + size], file[b : b + size] = file[b : b + size], file[a : a + size]


def _overwrite(rng: Rng, file: bytearray, sound: Sound) -> None:
    at = _spot(rng, file)
    count = min(int(rng.integers(1, 65)), len(file) - at)
    file[at : at + count] = rng.bytes(count) if rng.integers(2) else bytes([int(rng.choice((0, 255)))]) * count


def _other_weights(rng: Rng, weights: bytearray) -> bytearray | None:
    kind = int(rng.integers(5))
    if kind == 0:
        return None
    if kind == 1:
        return weights[: int(rng.integers(len(weights)))]
    if kind == 2:
        return weights + bytearray(rng.bytes(20))
    at = int(rng.integers(len(weights) if kind == 3 else 48))
    weights[at] ^= 1 << int(rng.integers(8))
    return weights


_KINDS = (
    _flip, _header_field, _header_field, _header_field, _header_field, _table_field, _table_field, _shape, _truncate,
    _truncate_and_say_so, _within_the_header, _append, _swap, _overwrite,
)  # fmt: skip
