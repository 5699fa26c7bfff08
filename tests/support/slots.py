"""firmware/relocatable/tinyhil_slots.c on emulated flash whose power is cut at any word or page, half done."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.build import find
from tests.support.paths import FIRMWARE

RELOCATABLE = FIRMWARE / "relocatable"
CHECKS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror")
OK, NONE, GEOMETRY, SIZE, ORDER, FLASH, REFUSED = range(7)
MARK = 32

_Erase = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32)
_Bytes = ctypes.POINTER(ctypes.c_uint8)
_Write = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32, _Bytes)
_Read = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32, _Bytes, ctypes.c_uint32)
_Accept = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32)


class _Flash(ctypes.Structure):
    _fields_ = (
        ("page_bytes", ctypes.c_uint32), ("word_bytes", ctypes.c_uint32),
        ("erase", _Erase), ("write", _Write), ("read", _Read), ("user", ctypes.c_void_p),
    )  # fmt: skip


class _Slots(ctypes.Structure):
    _fields_ = (("flash", ctypes.POINTER(_Flash)), ("address", ctypes.c_uint32 * 2), ("bytes", ctypes.c_uint32))


class Found(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("slot", "address", "bytes", "number"))


class _Update(ctypes.Structure):
    _fields_ = (
        ("slots", ctypes.c_void_p), ("to", Found), ("written", ctypes.c_uint32), ("crc", ctypes.c_uint32),
        ("word", ctypes.c_uint8 * MARK),
    )  # fmt: skip


@dataclass(frozen=True)
class Geometry:
    """A flash and two slots in it.

    Attributes:
        corrects: error correction: a word whose programming was cut cannot be read until it is erased.
    """

    page: int
    word: int
    pages: int
    corrects: bool = False

    @property
    def room(self) -> int:
        return self.page * self.pages - MARK

    @property
    def addresses(self) -> tuple[int, int]:
        """A page apart, with something of others between and behind them."""
        return self.page, (self.pages + 2) * self.page


class EmulatedFlash:
    """Erased bits are 1, programming makes zeros, once per word; amid operation `cut_at` the power goes."""

    def __init__(self, geometry: Geometry, rng: np.random.Generator) -> None:
        size = (geometry.addresses[1] // geometry.page + geometry.pages + 1) * geometry.page
        self.bytes = np.frombuffer(rng.bytes(size), np.uint8).copy()
        self.programmed = np.ones(size // geometry.word, bool)
        self.unreadable = np.zeros(size // geometry.word, bool)
        self.geometry, self.rng = geometry, rng
        self.done, self.cut_at, self.dark = 0, -1, False
        self.wrong: list[str] = []

    def cut_after(self, operations: int) -> None:
        self.done, self.cut_at, self.dark = 0, operations, False

    def _now(self) -> bool:
        self.dark = self.dark or self.done == self.cut_at
        self.done += 1
        return self.dark

    def erase(self, _: object, address: int) -> bool:
        page, word = self.geometry.page, self.geometry.word
        if address % page or not self._in_slot(address):
            self.wrong.append(f"erase at {address}")
        if self.dark:
            return False
        area = self.bytes[address : address + page]
        whole = np.full(page, 255, np.uint8)
        cut = self._now()
        area[:] = self._torn(area, whole) if cut else whole
        words = slice(address // word, (address + page) // word)
        self.programmed[words] = cut
        self.unreadable[words] = cut & (self.unreadable[words] | (self.geometry.corrects and self.rng.random() < 0.5))
        return not cut

    def write(self, _: object, address: int, data: ctypes._Pointer[ctypes.c_uint8]) -> bool:
        word = self.geometry.word
        if address % word or not self._in_slot(address):
            self.wrong.append(f"write at {address}")
        if self.dark:
            return False
        if self.programmed[address // word]:
            self.wrong.append(f"second write at {address}")
        area = self.bytes[address : address + word]
        whole = area & np.ctypeslib.as_array(data, (word,))
        cut = self._now()
        area[:] = self._torn(area, whole) if cut else whole
        self.programmed[address // word] = True
        self.unreadable[address // word] = cut and self.geometry.corrects and self.rng.random() < 0.8
        return not cut

    def read(self, _: object, address: int, data: ctypes._Pointer[ctypes.c_uint8], size: int) -> bool:
        word = self.geometry.word
        if not self._in_slot(address) or not self._in_slot(address + size - 1):
            self.wrong.append(f"read at {address}")
        if self.dark or self.unreadable[address // word : (address + size - 1) // word + 1].any():
            return False
        ctypes.memmove(data, self.bytes[address:].ctypes.data, size)
        return True

    def _in_slot(self, address: int) -> bool:
        size = self.geometry.page * self.geometry.pages
        return any(start <= address < start + size for start in self.geometry.addresses)

    def _torn(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Not begun, done but not told, a part of the bytes, or any of the bits."""
        kind = int(self.rng.integers(4))
        if kind < 2:
            return after if kind else before
        if kind == 2:
            bits = np.where(np.arange(len(after)) < self.rng.integers(len(after) + 1), 255, 0)
        else:
            bits = np.frombuffer(self.rng.bytes(len(after)), np.uint8)
        return (before & ~bits.astype(np.uint8)) | (after & bits.astype(np.uint8))


class Slots:
    """The C functions over one emulated flash."""

    def __init__(self, library: ctypes.CDLL, flash: EmulatedFlash) -> None:
        geometry = flash.geometry
        self._library, self._emulated = library, flash
        self._flash = _Flash(
            geometry.page, geometry.word, _Erase(flash.erase), _Write(flash.write), _Read(flash.read), None
        )
        slot_bytes = geometry.page * geometry.pages
        self.slots = _Slots(ctypes.pointer(self._flash), (ctypes.c_uint32 * 2)(*geometry.addresses), slot_bytes)
        self.update = _Update()

    def active(self) -> tuple[int, bytes]:
        """The status, and the bytes of the active file."""
        found = Found()
        status = self._library.tinyhil_slots_active(ctypes.byref(self.slots), ctypes.byref(found))
        if status != OK:
            return status, b""
        return status, self._emulated.bytes[found.address : found.address + found.bytes].tobytes()

    def begin(self, size: int) -> int:
        return self._library.tinyhil_slots_begin(ctypes.byref(self.slots), ctypes.byref(self.update), size)

    def write(self, data: bytes) -> int:
        return self._library.tinyhil_slots_write(ctypes.byref(self.update), data, len(data))

    def finish(self, accept: bool | None = None) -> int:
        asked = _Accept() if accept is None else _Accept(lambda *_: accept)
        return self._library.tinyhil_slots_finish(ctypes.byref(self.update), asked, None)

    def revert(self) -> int:
        return self._library.tinyhil_slots_revert(ctypes.byref(self.slots))

    def install(self, data: bytes, chunk: int = 50) -> int:
        """A whole update; the first status that is not OK ends it."""
        status = self.begin(len(data))
        for at in range(0, len(data), chunk):
            status = status or self.write(data[at : at + chunk])
        return status or self.finish()


def library(folder: Path) -> ctypes.CDLL:
    """Compiled so that undefined behaviour ends the process."""
    out = folder / "slots.so"
    sources = [str(RELOCATABLE / name) for name in ("tinyhil_slots.c", "tinyhil_hash.c")]
    checks = [*CHECKS, "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    command = [str(find("host").cc), *checks, "-shared", "-fPIC", *sources, "-o", str(out)]
    subprocess.run(command, check=True, timeout=60)
    return ctypes.CDLL(str(out))
