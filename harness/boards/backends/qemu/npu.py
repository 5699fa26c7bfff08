"""An Ethos-U for boards that QEMU emulates without one.

The driver reads and writes all registers in functions of its own. The core stops at them under the gdb stub, the device
answers, and the core goes on behind the call: the firmware is the same as for hardware.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.boards.backends.qemu.gdb import LR, PC, Gdb
from harness.elf.symbols import read_symbols
from harness.errors import BoardError, BoardLostError, ImageFileError, TinyhilError, UnsupportedModelError
from harness.ethosu.accelerators import ACCELERATORS, Accelerator, accelerator_of
from harness.ethosu.device import NpuDevice, NpuRun
from harness.ethosu.interface import POINTERS
from harness.ethosu.reach import NoMemoryError
from harness.hardware.board import Board, Region

JOIN_S = 5.0
_KEPT = 256
"""Runs that are remembered, each with what every operation of it cost."""

_THUMB = 1
_GET, _PUT, _BEGIN = "hil_ethosu_get", "hil_ethosu_put", "hil_ethosu_begin"


@dataclass(frozen=True)
class NpuHooks:
    """Addresses at which the core stops: where the functions of every driver in an image begin."""

    get: frozenset[int]
    put: frozenset[int]
    begin: frozenset[int]


def npu_hooks(elf: Path) -> NpuHooks | None:
    """Where an image's driver is; None if it has none."""
    try:
        if _BEGIN.encode() not in elf.read_bytes():  # most images: their symbols need not be read
            return None
        symbols = read_symbols(elf)
    except (OSError, ImageFileError):
        return None
    get, put, begin = (frozenset(s.address for s in symbols if s.name == name) for name in (_GET, _PUT, _BEGIN))
    return NpuHooks(get, put, begin) if get and put and begin else None


class _GdbMemory:
    """The board's memory through the gdb stub; what is in flash is read once."""

    def __init__(self, gdb: Gdb, memory: Sequence[Region]) -> None:
        self._gdb = gdb
        self._memory = tuple(memory)
        self._constants: dict[tuple[int, int], bytes] = {}

    def read(self, address: int, size: int) -> bytes:
        constant = self._region(address, size).kind == "flash"
        key = address, size
        if key in self._constants:
            return self._constants[key]
        data = self._gdb.read_memory(address, size)
        if constant:
            self._constants[key] = data
        return data

    def write(self, address: int, data: bytes) -> None:
        self._region(address, len(data))
        self._gdb.write_memory(address, data)

    def constant(self, address: int, size: int) -> bool:
        return self._region(address, size).kind == "flash"

    def reach(self, address: int) -> int:
        return next((r.origin + r.size - address for r in self._memory if r.contains(address, 1)), 0)

    def _region(self, address: int, size: int) -> Region:
        for region in self._memory:
            if region.contains(address, size):
                return region
        names = ", ".join(region.name for region in self._memory)
        raise NoMemoryError(f"no memory that the NPU reaches at 0x{address:08x}, {size} bytes; it reaches {names}")


class EmulatedNpu:
    """A board's NPU, served by a thread from `start` until the emulator ends.

    Attributes:
        runs: what it has run last.
    """

    def __init__(self, gdb: Gdb, hooks: NpuHooks, board: Board, on_lost: Callable[[], None]) -> None:
        """Sets the places at which the core stops, while it stands still.

        Args:
            gdb: the core.
            hooks: of the image.
            board: that is emulated.
            on_lost: called from the thread when nobody can answer the core any more; ends the emulator.

        Raises:
            BoardError: the emulator does not take them.
        """
        self.runs: list[NpuRun] = []
        self._gdb = gdb
        self._hooks = hooks
        self._board = board
        self._on_lost = on_lost
        reached = () if board.npu is None else board.npu.memory
        self._bus = _GdbMemory(gdb, [region for region in board.memory if region.name in reached])
        self._devices: dict[str, NpuDevice] = {}
        self._device: NpuDevice | None = None
        self._problem: TinyhilError | None = None
        self._lost: TinyhilError | None = None
        for place in sorted(hooks.get | hooks.put | hooks.begin):
            gdb.set_breakpoint(place)
        self._thread = threading.Thread(target=self._serve, name="tinyhil-npu", daemon=True)

    def start(self) -> None:
        """Lets the core run."""
        self._thread.start()

    def take_problem(self) -> TinyhilError | None:
        """Why the last run failed, once; None if it did not, or nothing has run."""
        problem, self._problem = self._problem, None
        return self._lost or problem

    def close(self) -> None:
        """Waits for the thread; the emulator must have ended."""
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
        self._gdb.close()

    def _serve(self) -> None:
        try:
            changes: dict[int, int] = {}
            while True:
                self._gdb.go_on(changes)
                changes = self._answer()
        except BoardLostError:
            pass  # it has ended, as it does with every session
        except Exception as error:  # whatever it is: nobody else would ever let the core go on
            self._lost = error if isinstance(error, TinyhilError) else _broken(error)
            self._on_lost()

    def _answer(self) -> dict[int, int]:
        """Does what the function at which the core stands would do; returns the registers to go on behind its call."""
        registers = self._gdb.registers()
        here, first, second = registers[PC], registers[0], registers[1]
        changes = {PC: registers[LR] & ~_THUMB}
        if here in self._hooks.begin:
            self._begin(first, second, registers[2])
        elif here in self._hooks.put:
            if self._device is not None:
                self._device.put(first, second)
        elif here in self._hooks.get:
            changes[0] = 0 if self._device is None else self._device.get(first)
        else:
            raise BoardError(f"the emulator stopped at 0x{here:08x}", hint="this is a bug, please report it")
        return changes

    def _begin(self, config: int, sizes: int, regions: int) -> None:
        """The driver is about to run a stream for the NPU of this configuration."""
        self._problem = self._device = None
        accelerator = self._accelerator(config)
        if accelerator is None:
            return
        if accelerator.name not in self._devices:
            self._devices[accelerator.name] = NpuDevice(accelerator, self._bus, on_run=self._ended)
        self._device = self._devices[accelerator.name]
        count = min(regions, POINTERS)
        told = self._gdb.read_memory(sizes, 4 * count)
        self._device.begin([int.from_bytes(told[4 * i : 4 * i + 4], "little") for i in range(count)])

    def _accelerator(self, config: int) -> Accelerator | None:
        """What is asked for where the board has it, else what it has; None for a board without an NPU."""
        there = () if self._board.npu is None else self._board.npu.accelerators
        try:
            asked = accelerator_of(config, "the NPU's command stream")
        except UnsupportedModelError as error:
            self._problem = error
            asked = None
        if asked is not None and asked.name in there:
            return asked
        has = f"has {', '.join(there)}" if there else "has no NPU"
        if asked is not None:
            self._problem = UnsupportedModelError(
                f"the model is compiled for {asked.name}; board {self._board.name} {has}",
                hint=f"compile it for {there[0]}" if there else "`tinyhil boards` shows which boards have one",
            )
        return next((accelerator for accelerator in ACCELERATORS if accelerator.name in there), None)

    def _ended(self, run: NpuRun) -> None:
        self._problem = run.error
        self.runs.append(run)
        del self.runs[:-_KEPT]


def _broken(error: Exception) -> BoardError:
    return BoardError(f"the emulated NPU failed: {error}", hint="this is a bug, please report it")
