"""Watermarks read by the debugger, to check the device's own figures independently."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.elf.symbols import symbol_address
from harness.errors import BoardError
from harness.link.paint import STACK_SEED, pattern_at, touched
from harness.link.records import Watermarks

# firmware/ports/cortexm/cortexm.h: bytes at the end of the stack that belong to the guard and are not painted
GUARD_ZONE = 64


class Readable(Protocol):
    """Something that reads a device's memory."""

    def read_memory(self, address: int, length: int) -> bytes:
        """`length` bytes from `address` on. Raises BoardError."""


@dataclass(frozen=True)
class DebuggerMarks:
    """Use of stack and arena, from the paint that is left.

    Attributes:
        stack_size: bytes of stack without the guard.
        stack_high: bytes of stack used since it was last painted, which is before each run.
        run_stack: those of them that the last run used below the runtime's own frames.
        arena_high: one past the highest byte of the arena that has no paint.
        arena_untouched: bytes of the arena that still have paint.
    """

    stack_size: int
    stack_high: int
    run_stack: int
    arena_high: int
    arena_untouched: int


def read_marks(memory: Readable, elf: Path, arena_size: int, paint_seed: int) -> DebuggerMarks:
    """Reads the paint of stack and arena while the device waits for a request.

    Args:
        memory: the device's.
        elf: the image that runs.
        arena_size: bytes of the selected model's arena.
        paint_seed: that its arena was painted with.

    Raises:
        BoardError: the image lacks a symbol, or memory cannot be read.
    """
    low, high = _address(elf, "hil_stack_bottom") + GUARD_ZONE, _address(elf, "hil_stack_end")
    stack = np.frombuffer(memory.read_memory(low, high - low), "<u4")
    used = np.nonzero(stack != pattern_at(STACK_SEED, low // 4, len(stack)))[0]
    lowest = high if len(used) == 0 else low + 4 * int(used[0])
    top = int.from_bytes(memory.read_memory(_address(elf, "run_stack_top"), 4), "little")
    wrote = touched(memory.read_memory(_address(elf, "hil_arena"), arena_size), paint_seed)
    return DebuggerMarks(
        stack_size=high - low,
        stack_high=high - lowest,
        run_stack=max(top - lowest, 0),
        arena_high=int(np.max(np.nonzero(wrote)[0], initial=-1)) + 1,
        arena_untouched=int(np.count_nonzero(~wrote)),
    )


def disagreements(device: Watermarks, debugger: DebuggerMarks) -> tuple[str, ...]:
    """Differences between the two, as sentences. Answering requests uses stack, too: `stack_high` may exceed the run's
    stack, but not the highest that the device ever saw.
    """
    found = []
    pairs = (
        ("arena high-water mark", device.arena_high, debugger.arena_high),
        ("bytes of the arena never written", device.arena_untouched, debugger.arena_untouched),
        ("stack size", device.stack_size, debugger.stack_size),
    )
    for name, ours, theirs in pairs:
        if ours is not None and ours != theirs:
            found.append(f"{name}: the device says {ours:,}, the debugger reads {theirs:,}")
    if device.stack_high is not None and debugger.run_stack < device.stack_high:
        found.append(f"stack: the device says {device.stack_high:,}, the debugger reads {debugger.run_stack:,}")
    return tuple(found)


def _address(elf: Path, name: str) -> int:
    address = symbol_address(elf, name)
    if address is None:
        raise BoardError(f"the image has no symbol {name}", hint="build it anew; it must not be stripped")
    return address
