"""Counts executed instructions, by a hook that the emulator calls before each basic block."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.virtual.baseline import foreign_after
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

    def take_foreign(self) -> int | None:
        """Instructions before the first that the core has not, if it was stopped before a block for that; None if not.
        From then on, until the next `set_limit`, it is not stopped for that.
        """

    def set_limit(self, limit: int | None) -> None:
        """Sets the limit: the core stops before the block that would raise `executed` above it."""

    def stopped_at(self, address: int) -> None:
        """Subtracts the instructions of its block that the core has not executed, as it has stopped at `address`."""

    def forget(self) -> None:
        """Discards counts of blocks, as code in memory has changed."""


def make_counter(engine: Any, memory: Sequence[Bytes], native: Native | None, *, baseline: bool) -> Counter:
    """A counter hooked into the emulator. `baseline`: the core is of Armv6-M, see harness.virtual.baseline."""
    if native is None:
        return _PythonCounter(engine, memory, baseline)
    return _NativeCounter(engine, memory, native, baseline)


def count_thumb(code: bytes) -> int:
    """Number of instructions in Thumb code: a halfword from 0xE800 up begins one of two halfwords."""
    count = at = 0
    while at < len(code):
        at += 4 if code[at + 1] >= 0xE8 else 2
        count += 1
    return count


def _code(memory: Sequence[Bytes], start: int, size: int) -> bytes:
    return next((region.read(start, size) for region in memory if region.holds(start, size)), b"")


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
    def __init__(self, engine: Any, memory: Sequence[Bytes], baseline: bool) -> None:
        self.executed = 0
        self._memory = memory
        self._baseline = baseline
        self._foreign: int | None = None
        self._allowed = False
        self._limit = _NO_LIMIT
        self._block = _CurrentBlock()
        self._known: dict[tuple[int, int], int] = {}
        engine.hook_add(_BLOCK_HOOK, self._hook)

    def _hook(self, engine: Any, address: int, size: int, data: Any) -> None:
        del data
        count = self._known.get((address, size))
        if count is None and self._baseline and not self._allowed:
            self._foreign = foreign_after(_code(self._memory, address, size))
            if self._foreign is not None:
                self._block.size = 0
                engine.emu_stop()
                return
        if count is None:
            count = _count_between(self._memory, address, address + size)
            if not self._allowed:  # else it may have an instruction that the core has not
                self._known[address, size] = count
        if self.executed + count > self._limit:
            self._block.size = 0
            engine.emu_stop()
            return
        self.executed += count
        self._block.address = address
        self._block.size = size

    def take_foreign(self) -> int | None:
        found, self._foreign = self._foreign, None
        self._allowed = self._allowed or found is not None
        return found

    @property
    def at_limit(self) -> bool:
        return self._block.size == 0

    def set_limit(self, limit: int | None) -> None:
        self._limit = _NO_LIMIT if limit is None else limit
        self._allowed = False

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
        ("baseline", ctypes.c_uint64),
        ("foreign", ctypes.c_uint64),
        ("foreign_after", ctypes.c_uint64),
        ("allowed", ctypes.c_uint64),
    ]


class _NativeCounter:
    def __init__(self, engine: Any, memory: Sequence[Bytes], native: Native, baseline: bool) -> None:
        self._memory = memory
        self._state = state = _CounterState(limit=_NO_LIMIT, region_count=min(len(memory), _REGIONS))
        for index, region in enumerate(memory[:_REGIONS]):
            state.region_origin[index] = region.origin
            state.region_size[index] = region.size
            state.region_bytes[index] = region.pointer
        state.stop = native.stop
        state.baseline = int(baseline)
        native.hook_blocks(engine, state)

    @property
    def executed(self) -> int:
        return int(self._state.executed)

    def take_foreign(self) -> int | None:
        state = self._state
        if not state.foreign:
            return None
        state.foreign, state.allowed = 0, 1
        return int(state.foreign_after)

    @property
    def at_limit(self) -> bool:
        return int(self._state.block_size) == 0

    def set_limit(self, limit: int | None) -> None:
        self._state.limit = _NO_LIMIT if limit is None else limit
        self._state.allowed = 0

    def stopped_at(self, address: int) -> None:
        state = self._state
        start, end = state.block_address, state.block_address + state.block_size
        if start <= address < end:
            state.executed -= _count_between(self._memory, address, end)
        state.block_size = 0

    def forget(self) -> None:
        ctypes.memset(self._state.slot_key, 0, ctypes.sizeof(self._state.slot_key))
