"""What an Armv6-M core refuses and Unicorn's allows: accesses that are not aligned, and instructions of later cores.

Armv6-M Architecture Reference Manual (DDI 0419), A3.2 and A5.
"""

from __future__ import annotations

import ctypes
from typing import Any

from harness.virtual.native import Native

_ACCESS_HOOK = 1024 | 2048  # UC_HOOK_MEM_READ, UC_HOOK_MEM_WRITE
_WRITES = 17  # UC_MEM_WRITE


class _AlignmentState(ctypes.Structure):
    """tinyhil_alignment of native.c."""

    _fields_ = [
        ("refused", ctypes.c_uint64),
        ("address", ctypes.c_uint64),
        ("write", ctypes.c_uint64),
        ("stop", ctypes.c_void_p),
    ]


class Alignment:
    """Stops the emulator at an access that is not aligned."""

    def __init__(self, engine: Any, native: Native | None) -> None:
        self._state = _AlignmentState()
        if native is None:
            engine.hook_add(_ACCESS_HOOK, self._hook)
        else:
            self._state.stop = native.stop
            native.hook_accesses(engine, self._state)

    def _hook(self, engine: Any, access: int, address: int, size: int, value: int, data: Any) -> None:
        del value, data
        if address & size - 1 and not self._state.refused:
            self._state.refused, self._state.address, self._state.write = 1, address, int(access == _WRITES)
            engine.emu_stop()

    def take(self) -> tuple[int, bool] | None:
        """(address, whether it writes) of the access that was refused since the last call; None if none was."""
        if not self._state.refused:
            return None
        self._state.refused = 0
        return int(self._state.address), bool(self._state.write)


def is_foreign(first: int, second: int) -> bool:
    """Whether an instruction, by its one or two halfwords, is none of Armv6-M; native.c has the same."""
    if first < 0xE800:
        return first & 0xF500 == 0xB100 or first & 0xFF00 == 0xBF00 and bool(first & 0xF)  # CBZ, CBNZ; IT
    calls = first & 0xF800 == 0xF000 and second & 0xD000 == 0xD000
    moves = first == 0xF3EF and second & 0xF000 == 0x8000 or first & 0xFFF0 == 0xF380 and second & 0xFF00 == 0x8800
    masks = 17 <= second & 0xFF <= 19  # BASEPRI, FAULTMASK
    waits = first == 0xF3BF and 0x8F4 <= second >> 4 <= 0x8F6
    return not (calls or moves and not masks or waits)


def foreign_after(code: bytes) -> int | None:
    """Number of instructions before the first that is none of Armv6-M; None where there is none."""
    at = count = 0
    while at + 1 < len(code):
        first = int.from_bytes(code[at : at + 2], "little")
        if is_foreign(first, int.from_bytes(code[at + 2 : at + 4], "little")):
            return count
        at += 4 if first >= 0xE800 else 2
        count += 1
    return None
