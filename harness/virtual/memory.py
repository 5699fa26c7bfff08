"""Memory of the emulated chip: bytes of the host that are mapped into the emulator."""

from __future__ import annotations

import ctypes
import mmap
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Bytes:
    """Memory of the host that the emulated core sees at `origin`."""

    name: str
    origin: int
    size: int
    kind: str
    store: mmap.mmap
    pointer: int

    def read(self, address: int, length: int) -> bytes:
        """Bytes at an address, which must be in the range."""
        offset = address - self.origin
        return self.store[offset : offset + length]

    def write(self, address: int, data: bytes) -> None:
        """Writes bytes at an address, which must be in the range."""
        offset = address - self.origin
        self.store[offset : offset + len(data)] = data

    def holds(self, address: int, length: int) -> bool:
        """Whether all bytes of a range lie in this one."""
        return self.origin <= address and address + length <= self.origin + self.size


def anonymous(name: str, origin: int, size: int, kind: str) -> Bytes:
    """New memory, all zeros."""
    return on_store(name, origin, size, kind, mmap.mmap(-1, size))


def on_store(name: str, origin: int, size: int, kind: str, store: mmap.mmap) -> Bytes:
    """Memory over an existing mapping: a file, or the same bytes at another address."""
    pointer = ctypes.addressof(ctypes.c_char.from_buffer(store))
    return Bytes(name, origin, size, kind, store, pointer)
