"""Native code of the virtual board, and the emulator's C interface below its Python binding.

With a C compiler on this machine it is built once and kept in the cache. Without one, or with another version of the
binding, equal code in Python is used, and emulation is about twenty times slower.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.build.host_library import host_library
from harness.errors import BuildError, ToolError

VARIABLE = "TINYHIL_VIRTUAL_NATIVE"  # "0": not used

_BLOCK_HOOK, _ACCESS_HOOK = 8, 1024 | 2048  # UC_HOOK_BLOCK; UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE
_LIBRARIES = ("libunicorn.so.2", "libunicorn.2.dylib", "libunicorn.dylib", "unicorn.dll")
_READ = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_void_p)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint, ctypes.c_uint64, ctypes.c_void_p)


class SerialState(ctypes.Structure):
    """tinyhil_serial of native.c: state that a serial port shares with native code."""

    can_send: int
    flags: int
    polls: int
    damaged: int
    at: int
    end: int
    sent: int
    status_at: int
    receive_at: int
    transmit_at: int

    _fields_ = [
        ("can_send", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("polls", ctypes.c_uint32),
        ("damaged", ctypes.c_uint32),
        ("at", ctypes.c_uint32),
        ("end", ctypes.c_uint32),
        ("sent", ctypes.c_uint32),
        ("status_at", ctypes.c_uint32),
        ("receive_at", ctypes.c_uint32),
        ("transmit_at", ctypes.c_uint32),
        ("input", ctypes.c_uint8 * 4096),
        ("output", ctypes.c_uint8 * 512),
    ]


class _Page(ctypes.Structure):
    """tinyhil_page of native.c."""

    _fields_ = [("serial", ctypes.c_void_p), ("offset", ctypes.c_uint64), ("read", _READ), ("write", _WRITE)]


class Native:
    """The native code, loaded.

    Attributes:
        stop: address of the emulator's function that stops it.
    """

    def __init__(self) -> None:
        """Builds the native code if it is not in the cache, and loads it.

        Raises:
            ToolError: there is no C compiler.
            BuildError: it does not compile, or the cache cannot be written to.
            OSError: it cannot be loaded.
        """
        self._parts = ctypes.CDLL(str(host_library("harness.virtual", ["native.c"])))
        self._emulator = emulator_library()
        self.stop = ctypes.cast(self._emulator.uc_emu_stop, ctypes.c_void_p)
        self._kept: list[Any] = []

    def hook_blocks(self, engine: Any, state: ctypes.Structure) -> None:
        """Counts blocks of an emulator in `state`. Raises OSError."""
        self._hook(engine, _BLOCK_HOOK, self._parts.tinyhil_block, state)

    def hook_accesses(self, engine: Any, state: ctypes.Structure) -> None:
        """Stops an emulator at accesses that are not aligned, and notes them in `state`. Raises OSError."""
        self._hook(engine, _ACCESS_HOOK, self._parts.tinyhil_access, state)

    def _hook(self, engine: Any, kind: int, function: Any, state: ctypes.Structure) -> None:
        handle = ctypes.c_size_t()
        error = self._emulator.uc_hook_add(
            engine._uch,
            ctypes.byref(handle),
            ctypes.c_int(kind),
            ctypes.cast(function, ctypes.c_void_p),
            ctypes.byref(state),
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
        )
        self._kept.append(state)
        if error:
            raise OSError(f"uc_hook_add: {error}")

    def map_serial(
        self,
        engine: Any,
        page: int,
        size: int,
        base: int,
        state: SerialState,
        read: Callable[..., int],
        write: Callable[..., None],
    ) -> None:
        """Maps a page with a serial port at `base`; `read` and `write` handle all but the most frequent accesses."""
        entry = _Page(ctypes.addressof(state), base - page, _READ(read), _WRITE(write))
        self._kept += [entry, state]
        address = ctypes.c_void_p(ctypes.addressof(entry))
        error = self._emulator.uc_mmio_map(
            engine._uch,
            ctypes.c_uint64(page),
            ctypes.c_size_t(size),
            ctypes.cast(self._parts.tinyhil_serial_read, ctypes.c_void_p),
            address,
            ctypes.cast(self._parts.tinyhil_serial_write, ctypes.c_void_p),
            address,
        )
        if error:
            raise OSError(f"uc_mmio_map: {error}")


def find_native() -> Native | None:
    """The native code; None if it cannot be built or loaded."""
    if os.environ.get(VARIABLE, "1") == "0":
        return None
    try:
        return Native()
    except (ToolError, BuildError, OSError, AttributeError):
        return None


def emulator_library() -> Any:
    """The emulator's library, which the binding has loaded already."""
    import unicorn

    folder = Path(unicorn.__file__).parent / "lib"
    for name in _LIBRARIES:
        if (folder / name).exists():
            return ctypes.CDLL(str(folder / name))
    raise OSError("the emulator's library is not in its package")
