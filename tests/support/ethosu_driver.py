"""The driver of the NPU on this machine, its registers answered by a device; memory is a dictionary of arrays."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.ethosu.interface import NAMES
from harness.ethosu.reach import NoMemoryError
from tests.support.paths import FIRMWARE

HOOKS = Path(__file__).parent / "ethosu_hooks.c"
OK, ARGUMENT, ABSENT, OTHER, BUSY, RESET, BUS, COMMAND, WEIGHTS, ECC, TIMEOUT, UNENDED = range(12)
POLLS = 1000
"""After as many looks at STATUS the driver of this library gives up."""

_GET = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)
_PUT = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32)
_BEGIN = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint32)
_WAIT = ctypes.CFUNCTYPE(None)
_CLEAN = ctypes.CFUNCTYPE(None, ctypes.c_size_t)
_FINISH = ctypes.c_size_t(-1).value


class Record(ctypes.Structure):
    """hil_ethosu_counters."""

    _fields_ = (
        *((name, ctypes.c_uint64) for name in ("cycles_active", "cycles_idle")),
        *((name, ctypes.c_uint32) for name in ("axi0_read", "axi0_write", "axi1_read", "axi1_write")),
        *((name, ctypes.c_uint32) for name in ("status", "at", "runs")),
        ("result", ctypes.c_int32),
    )


def build_driver(folder: Path, compiler: str) -> Path:
    """A shared library of the driver, which traps where C leaves open what it does."""
    library = folder / f"driver-{compiler}.so"
    command = [compiler, "-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    command += ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    command += [f"-I{FIRMWARE / 'kernels'}", str(HOOKS), "-o", str(library)]
    subprocess.run(command, check=True, timeout=60)
    return library


@dataclass
class Memory:
    """Pieces of memory by address, for NpuDevice.

    Attributes:
        pieces: address -> content; those of type bytes are constant.
        written: (address, bytes) of every write.
    """

    pieces: dict[int, bytes | bytearray]
    written: list[tuple[int, int]] = field(default_factory=list)

    def read(self, address: int, size: int) -> bytes:
        start, piece = self._at(address, size)
        return bytes(piece[address - start : address - start + size])

    def write(self, address: int, data: bytes) -> None:
        start, piece = self._at(address, len(data))
        assert isinstance(piece, bytearray), f"0x{address:x} is constant"
        piece[address - start : address - start + len(data)] = data
        self.written.append((address, len(data)))

    def constant(self, address: int, size: int) -> bool:
        return isinstance(self._at(address, size)[1], bytes)

    def reach(self, address: int) -> int:
        return next((s + len(p) - address for s, p in self.pieces.items() if s <= address < s + len(p)), 0)

    def _at(self, address: int, size: int) -> tuple[int, bytes | bytearray]:
        for start, piece in self.pieces.items():
            if start <= address and address + size <= start + len(piece):
                return start, piece
        raise NoMemoryError(f"no memory at 0x{address:x}, {size} bytes")


class Driver:
    """The driver over a device.

    Attributes:
        accesses: what it has read and written, as "get STATUS" or "put CMD 0x1".
        waited: how often it called its hook between two looks.
    """

    def __init__(self, library: Path, get: Callable[[int], int], put: Callable[[int, int], None]) -> None:
        self.accesses: list[str] = []
        self.waited = 0
        self.begun: list[tuple[int, tuple[int, ...]]] = []
        self.on_begin: Callable[[int, tuple[int, ...]], None] = lambda config, sizes: None
        self.on_wait: Callable[[], None] = lambda: None
        self._get, self._put = get, put
        self._library = ctypes.CDLL(str(library))
        self._library.hil_ethosu_last.restype = ctypes.POINTER(Record)
        # kept here: ctypes does not keep what C alone knows
        self._hooks = _GET(self._on_get), _PUT(self._on_put), _BEGIN(self._on_begin), _WAIT(self._on_wait)
        self._library.set_hooks(*self._hooks)
        self._clean = _CLEAN(self._on_clean)
        self._library.set_cache(0, self._clean)

    def run(
        self, commands: int, words: int, config: int, places: Sequence[tuple[int, int]], regions: int | None = None
    ) -> int:
        """hil_ethosu_run; places: address and bytes of each region."""
        count = len(places)
        bases = (ctypes.c_void_p * max(count, 1))(*(address for address, _ in places))
        sizes = (ctypes.c_uint32 * max(count, 1))(*(size for _, size in places))
        return int(
            self._library.hil_ethosu_run(
                ctypes.c_void_p(commands),
                ctypes.c_uint32(words),
                ctypes.c_uint32(config),
                bases,
                sizes,
                ctypes.c_uint32(count if regions is None else regions),
            )
        )

    def with_cache(self, line: int) -> None:
        """The core has a data cache with lines of so many bytes; `accesses` has "clean ADDRESS" and "cleaned", too."""
        self._library.set_cache(line, self._clean)

    def irq(self) -> None:
        """hil_ethosu_irq."""
        self._library.hil_ethosu_irq()

    @property
    def last(self) -> Record:
        """A copy of hil_ethosu_last()."""
        return Record.from_buffer_copy(self._library.hil_ethosu_last().contents)

    def _on_get(self, offset: int) -> int:
        self.accesses.append(f"get {NAMES.get(offset, hex(offset))}")
        return self._get(offset)

    def _on_put(self, offset: int, value: int) -> None:
        self.accesses.append(f"put {NAMES.get(offset, hex(offset))} 0x{value:x}")
        self._put(offset, value)

    def _on_begin(self, config: int, sizes: ctypes.Array[ctypes.c_uint32], regions: int) -> None:
        told = tuple(int(sizes[index]) for index in range(regions))
        self.begun.append((config, told))
        self.on_begin(config, told)

    def _on_clean(self, line: int) -> None:
        self.accesses.append("cleaned" if line == _FINISH else f"clean 0x{line:x}")

    def _on_wait(self) -> None:
        self.waited += 1
        self.on_wait()
