"""Replays traces in C: counts what each layer executed, and simulates its misses in a memory system's caches."""

from __future__ import annotations

import ctypes
import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from harness.build.cache import digest
from harness.build.host_library import host_library
from harness.cycles.memory import PARTS, CacheGeometry, MemorySystem, Part, Span
from harness.cycles.profile import Misses, Profile
from harness.errors import ProfileError

PACKAGE = "harness.cycles.native"
TRACE_MAGIC, TRACE_END = b"TINYTRC1", b"TINYEND1"
_LAYER, _COUNT, _TRANSFER, _LOAD, _STORE, _FETCH, _SEQUENTIAL, _NEXT_LOAD = range(8)
_ROW = np.dtype([("layer", "<u4"), ("kind", "<u4"), ("a", "<u4"), ("b", "<u4"), ("count", "<u8")])


class _NativeSpan(ctypes.Structure):
    _fields_ = [("origin", ctypes.c_uint32), ("size", ctypes.c_uint32), ("to", ctypes.c_uint32)]


class _NativeCache(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint32) for name in ("sets", "ways", "line_log2", "in_turn", "sectors")]


class _NativeMemory(ctypes.Structure):
    _fields_ = [("fetch", ctypes.c_int32), ("data", ctypes.c_int32), ("write_allocate", ctypes.c_uint32)]


class _NativeResult(ctypes.Structure):
    rows: Any
    row_count: int
    damaged: int
    _fields_ = [("rows", ctypes.c_void_p), ("row_count", ctypes.c_uint64), ("damaged", ctypes.c_int32)]


@dataclass(frozen=True)
class Counted:
    """Counts of what one layer executed.

    Attributes:
        entry: address of its function; of a program's region its path.
        counts, transfers, accesses: as in harness.cycles.profile.LayerProfile.
    """

    entry: int
    counts: Mapping[int, int]
    transfers: Mapping[tuple[int, int], int]
    accesses: Mapping[tuple[int, Part], tuple[int, int]]


@functools.cache
def sources() -> str:
    """Digest over the sources of the profiler's parts in C."""
    folder = files(PACKAGE)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith((".c", ".h")))
    return digest(*(part for name in names for part in (name, folder.joinpath(name).read_text(encoding="utf-8"))))


@functools.cache
def _library() -> Any:
    library = ctypes.CDLL(str(host_library(PACKAGE, ["replay.c", "table.h", "trace.h"])))
    library.tinyhil_count.restype = library.tinyhil_simulate.restype = ctypes.c_int
    return library


def count(trace: Path, spans: Sequence[Span]) -> tuple[Counted, ...]:
    """Counts of what a trace's run executed, layer by layer.

    Raises:
        ToolchainMissingError: no host compiler, and the replay is not in the cache.
        ProfileError: the trace does not exist or is damaged.
    """
    data = read_trace(trace)
    parts = tuple(dict.fromkeys((*PARTS, *(span.part for span in spans))))
    numbers = [(span, parts.index(span.part)) for span in spans]
    result = _NativeResult()
    status = _library().tinyhil_count(
        data, ctypes.c_uint64(len(data)), _pack(numbers), len(spans), parts.index("other"), ctypes.byref(result)
    )
    rows = _rows(result, status, trace)
    entries = rows[rows["kind"] == _LAYER]["a"].tolist()
    counted = []
    for number, entry in enumerate(entries):
        own = rows[rows["layer"] == number]
        accesses: dict[tuple[int, Part], tuple[int, int]] = {}
        for kind, place in ((_LOAD, 0), (_STORE, 1)):
            for a, b, times in _of_kind(own, kind):
                pair = list(accesses.get((a, parts[b]), (0, 0)))
                pair[place] += times
                accesses[a, parts[b]] = (pair[0], pair[1])
        counted.append(
            Counted(
                entry,
                {a: times for a, _, times in sorted(_of_kind(own, _COUNT))},
                {(a, b): times for a, b, times in sorted(_of_kind(own, _TRANSFER))},
                dict(sorted(accesses.items())),
            )
        )
    return tuple(counted)


def simulate(profile: Profile, system: MemorySystem) -> tuple[Misses, ...]:
    """Cache misses per layer if the profile's image lay in `system`, by replaying the trace.

    Raises:
        ToolchainMissingError: no host compiler for the simulator, and it is not in the cache.
        ProfileError: the trace does not exist or is damaged.
    """
    data = read_trace(profile.trace)
    packed = _packed(system)
    result = _NativeResult()
    status = _library().tinyhil_simulate(
        data,
        ctypes.c_uint64(len(data)),
        _pack([(span, packed.number_of[span.part]) for span in profile.spans]),
        len(profile.spans),
        packed.number_of["other"],
        packed.memories,
        packed.caches,
        packed.cache_count,
        ctypes.byref(result),
    )
    rows = _rows(result, status, profile.trace)

    def of_layer(layer: int, kind: int) -> dict[tuple[int, str], int]:
        own = rows[(rows["layer"] == layer) & (rows["kind"] == kind)]
        return {(a, packed.names[b]): times for a, b, times in sorted(_of_kind(own, kind))}

    return tuple(
        Misses(*(of_layer(number, kind) for kind in (_FETCH, _SEQUENTIAL, _LOAD, _STORE, _NEXT_LOAD)))
        for number in range(len(profile.layers))
    )


@dataclass(frozen=True)
class _PackedSystem:
    """A memory system as the simulator takes it.

    Attributes:
        names: of the memories, by number.
        number_of: part of the image -> number of its memory.
        memories, caches: arrays in C; `cache_count` of the latter are in use.
    """

    names: Sequence[str]
    number_of: Mapping[Part, int]
    memories: Any
    caches: Any
    cache_count: int


def _packed(system: MemorySystem) -> _PackedSystem:
    parts = tuple(dict.fromkeys((*PARTS, *system.placement)))
    by_name = {memory.name: memory for memory in map(system.memory_of, parts)}
    names = sorted(by_name)
    of_all = [by_name[name] for name in names]
    pairs = [(memory.fetch, memory.data) for memory in of_all]
    caches = list(dict.fromkeys(cache for pair in pairs for cache in pair if cache is not None))
    numbers: dict[CacheGeometry | None, int] = {None: -1, **{cache: number for number, cache in enumerate(caches)}}
    packed_memories = (_NativeMemory * len(names))(
        *(_NativeMemory(numbers[memory.fetch], numbers[memory.data], memory.write_allocate) for memory in of_all)
    )
    packed_caches = (_NativeCache * (len(caches) + 1))(
        *(
            _NativeCache(c.sets, c.ways, c.line.bit_length() - 1, c.replace == "round-robin", c.line // c.fill)
            for c in caches
        )
    )
    number_of = {part: names.index(system.memory_of(part).name) for part in parts}
    return _PackedSystem(names, number_of, packed_memories, packed_caches, len(caches))


def read_trace(trace: Path) -> bytes:
    """A trace that was written to its end.

    Raises:
        ProfileError: it is not there, or was not.
    """
    try:
        data = trace.read_bytes()
    except OSError as error:
        raise ProfileError(f"the trace {trace} cannot be read: {error.strerror}", hint="profile again") from error
    content, checksum = data[: -len(TRACE_END) - 4], data[-len(TRACE_END) - 4 : -len(TRACE_END)]
    framed = data.startswith(TRACE_MAGIC) and data.endswith(TRACE_END)
    if not framed or zlib.crc32(content) != int.from_bytes(checksum, "little"):
        raise _damaged(trace)
    return data


def _damaged(trace: Path) -> ProfileError:
    return ProfileError(f"the trace {trace} is not whole", hint="profile again")


def _pack(spans: Sequence[tuple[Span, int]]) -> Any:
    return (_NativeSpan * (len(spans) + 1))(*(_NativeSpan(span.origin, span.size, number) for span, number in spans))


def _rows(result: _NativeResult, status: int, trace: Path) -> Any:
    """The rows as an array of our own; those in C are freed."""
    try:
        if status != 0:
            raise _damaged(trace)
        raw = ctypes.string_at(result.rows, result.row_count * _ROW.itemsize) if result.row_count else b""
        return np.frombuffer(raw, _ROW)
    finally:
        _library().tinyhil_free(ctypes.byref(result))


def _of_kind(rows: Any, kind: int) -> list[tuple[int, int, int]]:
    own = rows[rows["kind"] == kind]
    return list(zip(own["a"].tolist(), own["b"].tolist(), own["count"].tolist(), strict=True))
