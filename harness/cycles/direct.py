"""Runs the model of an image under Unicorn: the image's code at its addresses, without starting the firmware.

This needs no peripherals, so that images of any board whose core Unicorn emulates can be profiled. Memory is set up as
after the firmware's start; then the model's init and invoke are called, as the runtime calls them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.build.host_library import host_library
from harness.cycles.image import Layout
from harness.elf.symbols import read_symbols
from harness.errors import EmulatorMissingError, ProfileError
from harness.hardware.cores import core

if TYPE_CHECKING:
    from harness.build import Image, PackageSources
    from harness.hardware.board import Board

SOURCES = ("unicorn.c", "tracer.h", "tracer_regions.h", "trace.h")
_ARCH_ARM, _MODE_THUMB_MCLASS = 1, 0x10 | 0x20
_HOOKS = {1 << 3: "tinyhil_watch_block", 1 << 2: "tinyhil_watch_instruction", 3 << 10: "tinyhil_watch_access"}
_PAGE = 0x1000
_FREE = 0x6000_0000  # external memory, which no board has, and where code may run
_TIME_LIMIT_US = 300_000_000
_IN_REGISTERS = 4
"""Arguments of a call in registers; more lie on the stack."""


def can_run(board: Board) -> bool:
    """Whether Unicorn is installed and emulates the board's core."""
    from harness.boards.backends.virtual import backend as virtual

    return virtual.is_installed() and core(board.core).unicorn is not None and bool(board.memory)


def version() -> str:
    """Unicorn's version.

    Raises:
        EmulatorMissingError: it is not installed.
    """
    try:
        return metadata.version("unicorn")
    except metadata.PackageNotFoundError as error:
        raise EmulatorMissingError(
            "the package unicorn is not installed", hint="pip install 'tinyhil[virtual]'"
        ) from error


def run(
    board: Board,
    image: Image,
    package: PackageSources,
    layout: Layout,
    inputs: Sequence[bytes],
    points: Path,
    trace: Path,
) -> tuple[bytes, ...]:
    """Runs one inference.

    Args:
        board: whose memory the image was built for.
        image, package: the image, and the model in it.
        layout: of the image.
        inputs: bytes of each of the model's inputs.
        points: where layers begin, see harness/cycles/native/tracer.h.
        trace: file to write.

    Returns:
        Bytes of each of the model's outputs.

    Raises:
        EmulatorMissingError: Unicorn is not installed.
        ToolchainMissingError: no host compiler, and the hooks are not in the cache.
        ProfileError: the model fails, or accesses something that only the board has.
    """
    version()
    import unicorn as package_of_unicorn

    unicorn: Any = package_of_unicorn
    plan = package.plan
    core = _EmulatedCore(unicorn, board, layout)
    watcher = Watcher(core.engine, points, trace)
    names = [f"{plan.name}_init", f"{plan.name}_invoke", "hil_arena", "hil_stack_end"]
    symbols = _find_symbols(image.elf, [*names, *(["hil_scratch"] if plan.scratch_apart else [])])
    init, invoke, arena, stack = (symbols[name] for name in names)
    apart = (symbols["hil_scratch"], plan.scratch_size) if plan.scratch_apart else ()
    try:
        core.call(init, stack, core.context, arena, plan.arena_size, *apart)
        for tensor, data in zip(plan.graph.inputs, inputs, strict=True):
            core.engine.mem_write(arena + plan.placement_of(tensor).offset, data)
        core.call(invoke, stack, core.context, 0, 0)
        placed = [plan.placement_of(tensor) for tensor in plan.graph.outputs]
        outputs = tuple(bytes(core.engine.mem_read(arena + p.offset, p.size)) for p in placed)
    finally:
        whole = watcher.close()
    if not whole:
        raise ProfileError(f"the layers of {plan.name} did not all run", hint="this is a bug, please report it")
    return outputs


class _EmulatedCore:
    """The emulated core with the image in its memory.

    Attributes:
        engine: Unicorn's.
        context: address of memory for the model's context, outside the board's own.
    """

    def __init__(self, unicorn: Any, board: Board, layout: Layout) -> None:
        self._errors: type[Exception] = unicorn.UcError
        self._registers = unicorn.arm_const
        self.engine: Any = unicorn.Uc(_ARCH_ARM, _MODE_THUMB_MCLASS)
        self.engine.ctl_set_cpu_model(getattr(self._registers, f"UC_CPU_ARM_{core(board.core).unicorn}"))
        pages = {
            page
            for region in board.memory
            for page in range(region.origin // _PAGE, -(-(region.origin + region.size) // _PAGE))
        }
        free = next(page for page in range(_FREE // _PAGE, 1 << 20) if page not in pages)
        for page, count in _runs(sorted({*pages, free})):
            self.engine.mem_map(page * _PAGE, count * _PAGE)
        for segment in layout.code.segments:
            self.engine.mem_write(segment.address, segment.data)
        self.context = free * _PAGE
        self._stop = free * _PAGE + _PAGE // 2

    def call(self, function: int, stack: int, *arguments: int) -> None:
        """Calls a function and waits for its end; it must return 0."""
        names, engine = self._registers, self.engine
        for number, value in enumerate(arguments[:_IN_REGISTERS]):
            engine.reg_write(getattr(names, f"UC_ARM_REG_R{number}"), value)
        rest = b"".join(value.to_bytes(4, "little") for value in arguments[_IN_REGISTERS:])
        stack = (stack - len(rest)) & ~7
        engine.mem_write(stack, rest)
        engine.reg_write(names.UC_ARM_REG_SP, stack)
        engine.reg_write(names.UC_ARM_REG_LR, self._stop | 1)
        try:
            engine.emu_start(function | 1, self._stop, timeout=_TIME_LIMIT_US)
        except self._errors as error:
            at = engine.reg_read(names.UC_ARM_REG_PC)
            raise ProfileError(
                f"the model stops at 0x{at:08x}: {error}", hint="profile it on an emulated board of its own"
            ) from error
        at, status = engine.reg_read(names.UC_ARM_REG_PC), engine.reg_read(names.UC_ARM_REG_R0)
        if at != self._stop:
            raise ProfileError("the model does not end", hint="profile it on an emulated board of its own")
        if status:
            raise ProfileError(f"the model reports status {status}", hint="validate it first")


class Watcher:
    """The hooks in C that write the trace of an engine, until close()."""

    def __init__(self, engine: Any, points: Path, trace: Path) -> None:
        from harness.cycles.replay import PACKAGE
        from harness.virtual.native import emulator_library

        emulator = emulator_library()
        self._library = ctypes.CDLL(str(host_library(PACKAGE, SOURCES)))
        self._library.tinyhil_watch.restype = ctypes.c_void_p
        functions = (emulator.uc_mem_read, emulator.uc_reg_read, emulator.uc_reg_write)
        pointers = (ctypes.cast(function, ctypes.c_void_p) for function in functions)
        self._state = self._library.tinyhil_watch(str(points).encode(), str(trace).encode(), *pointers)
        if not self._state:
            raise ProfileError(f"the trace {trace} cannot be begun", hint="is there room on the disk?")
        for kind, name in _HOOKS.items():
            handle = ctypes.c_size_t()
            error = emulator.uc_hook_add(
                engine._uch,
                ctypes.byref(handle),
                ctypes.c_int(kind),
                ctypes.cast(getattr(self._library, name), ctypes.c_void_p),
                ctypes.c_void_p(self._state),
                ctypes.c_uint64(1),
                ctypes.c_uint64(0),
            )
            if error:
                raise ProfileError(f"Unicorn takes no hook (error {error})", hint="use QEMU: --board mps2-an386")

    def finished(self) -> bool:
        """Whether there is nothing more to trace."""
        return bool(self._library.tinyhil_watched(ctypes.c_void_p(self._state)))

    def close(self) -> bool:
        """Ends the trace; returns whether it is complete."""
        return bool(self._library.tinyhil_unwatch(ctypes.c_void_p(self._state)))


def _runs(pages: Sequence[int]) -> list[tuple[int, int]]:
    """(first, number) of each run of adjacent pages."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and page == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((page, 1))
    return runs


def _find_symbols(elf: Path, names: Sequence[str]) -> Mapping[str, int]:
    found = {symbol.name: symbol.address for symbol in read_symbols(elf) if symbol.name in names}
    missing = [name for name in names if name not in found]
    if missing:
        raise ProfileError(f"{elf.name} has no symbol {missing[0]}", hint="this is a bug, please report it")
    return found
