"""Counts executed instructions, by a hook that the emulator calls before each basic block."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.virtual.memory import Bytes
from harness.virtual.native import Native

_REGIONS = 16
_SLOTS = 65536
_NO_LIMIT = (1 << 63) - 1
_BLOCK_HOOK = 8  # UC_HOOK_BLOCK


class Counter(Protocol):
    """Counts, and stops the emulator before a limit is passed."""

    @property
    def executed(self) -> int:
        """Instructions executed so far; while the core runs, with all of its current block."""

    @property
    def at_limit(self) -> bool:
        """Whether the core was stopped by the limit."""

    def set_limit(self, limit: int | None) -> None:
        """Sets the limit: the core stops before the block that would raise `executed` above it."""

    def stopped_at(self, address: int) -> None:
        """Subtracts the instructions of its block that the core has not executed, as it has stopped at `address`."""

    def forget(self) -> None:
        """Discards counts of blocks, as code in memory has changed."""


def make_counter(engine: Any, memory: Sequence[Bytes], native: Native | None) -> Counter:
    """A counter hooked into the emulator."""
    return _PythonCounter(engine, memory) if native is None else _NativeCounter(engine, memory, native)


def count_thumb(code: bytes) -> int:
    """Number of instructions in Thumb code: a halfword from 0xE800 up begins one of two halfwords."""
    count = at = 0
    while at < len(code):
        at += 4 if code[at + 1] >= 0xE8 else 2
        count += 1
    return count


def _count_between(memory: Sequence[Bytes], start: int, end: int) -> int:
    for region in memory:
        if region.origin <= start and end <= region.origin + region.size:
            return count_thumb(region.read(start, end - start))
    return (end - start) // 2


@dataclass
class _CurrentBlock:
    address: int = 0
    size: int = 0


class _PythonCounter:
    def __init__(self, engine: Any, memory: Sequence[Bytes]) -> None:
        self.executed = 0
        self._memory = memory
        self._limit = _NO_LIMIT
        self._block = _CurrentBlock()
        self._known: dict[tuple[int, int], int] = {}
        engine.hook_add(_BLOCK_HOOK, self._hook)

    def _hook(self, engine: Any, address: int, size: int, data: Any) -> None:
        del data
        count = self._known.get((address, size))
        if count is None:
            count = self._known[address, size] = _count_between(self._memory, address, address + size)
        if self.executed + count > self._limit:
            self._block.size = 0
            engine.emu_stop()
            return
        self.executed += count
        self._block.address = address
        self._block.size = size

    @property
    def at_limit(self) -> bool:
        return self._block.size == 0

    def set_limit(self, limit: int | None) -> None:
        self._limit = _NO_LIMIT if limit is None else limit

    def stopped_at(self, address: int) -> None:
        start, end = self._block.address, self._block.address + self._block.size
        if start <= address < end:
            self.executed -= _count_between(self._memory, address, end)
        self._block.size = 0

    def forget(self) -> None:
        self._known.clear()


class _CounterState(ctypes.Structure):
    """tinyhil_counter of native.c."""

    _fields_ = [
        ("executed", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("block_address", ctypes.c_uint64),
        ("block_size", ctypes.c_uint64),
        ("stop", ctypes.c_void_p),
        ("region_count", ctypes.c_uint64),
        ("region_origin", ctypes.c_uint64 * _REGIONS),
        ("region_size", ctypes.c_uint64 * _REGIONS),
        ("region_bytes", ctypes.c_void_p * _REGIONS),
        ("slot_key", ctypes.c_uint64 * _SLOTS),
        ("slot_value", ctypes.c_uint32 * _SLOTS),
    ]


class _NativeCounter:
    def __init__(self, engine: Any, memory: Sequence[Bytes], native: Native) -> None:
        self._memory = memory
        self._state = state = _CounterState(limit=_NO_LIMIT, region_count=min(len(memory), _REGIONS))
        for index, region in enumerate(memory[:_REGIONS]):
            state.region_origin[index] = region.origin
            state.region_size[index] = region.size
            state.region_bytes[index] = region.pointer
        state.stop = native.stop
        native.hook_blocks(engine, state)

    @property
    def executed(self) -> int:
        return int(self._state.executed)

    @property
    def at_limit(self) -> bool:
        return int(self._state.block_size) == 0

    def set_limit(self, limit: int | None) -> None:
        self._state.limit = _NO_LIMIT if limit is None else limit

    def stopped_at(self, address: int) -> None:
        state = self._state
        start, end = state.block_address, state.block_address + state.block_size
        if start <= address < end:
            state.executed -= _count_between(self._memory, address, end)
        state.block_size = 0

    def forget(self) -> None:
        ctypes.memset(self._state.slot_key, 0, ctypes.sizeof(self._state.slot_key))
