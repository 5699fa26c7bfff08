"""A package with NPU layers as a library of this process, whose driver is the simulator."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.build.toolchain import find
from harness.compiler.emit.package import Package
from harness.errors import CommandStreamError
from harness.ethosu.accelerators import accelerator_of
from harness.ethosu.simulator import Simulator
from harness.quantization.types import Array

HOOK = Path(__file__).parent / "npu_hook.c"
DRIVER = "hil_ethosu.c"
FAILED = 7
GUARD = 64
_FLAGS = ("-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC")
_CHECKED = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
_HOOK = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_uint32,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_uint32),
    ctypes.c_uint32,
)


class _Context(ctypes.Structure):
    _fields_ = [("arena", ctypes.c_void_p), ("npu", ctypes.c_int32)]


@dataclass
class NpuPackage:
    """The library; `fail_at` is the run that fails, counted from 1.

    Attributes:
        runs: streams that were run.
    """

    package: Package
    folder: Path
    fail_at: int = 0
    runs: int = 0
    statuses: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path, text in self.package.files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text, encoding="utf-8")
        sources = [str(self.folder / s) for s in self.package.sources if not s.endswith(DRIVER)]
        library = self.folder / "package.so"
        subprocess.run(
            [str(find("host").cc), *_FLAGS, *_CHECKED, f"-I{self.folder}", *sources, str(HOOK), "-o", str(library)],
            check=True,
        )
        self._library = ctypes.CDLL(str(library))
        self._callback = _HOOK(self._run)
        self._library.set_npu_hook(self._callback)
        size, align = self.package.plan.arena_size, self.package.plan.arena_align
        self._memory = np.full(size + 2 * GUARD + align, 0xA5, np.uint8)
        start = GUARD + -(self._memory.ctypes.data + GUARD) % align
        self._arena = self._memory[start : start + size]
        self._around = [self._memory[:start], self._memory[start + size :]]
        self._context = _Context()
        self.restart()

    def restart(self) -> None:
        """States as they begin."""
        place, size = ctypes.c_void_p(self._arena.ctypes.data), ctypes.c_size_t(self.package.plan.arena_size)
        assert self._call("init", ctypes.byref(self._context), place, size) == 0

    @property
    def reason(self) -> int:
        """Why the last inference failed: what the driver returned."""
        return int(self._context.npu)

    def _call(self, name: str, *arguments: object) -> int:
        return int(getattr(self._library, f"{self.package.plan.name}_{name}")(*arguments))

    def invoke(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs of one inference; what failed is the last of `statuses`."""
        plan = self.package.plan
        for t, given in zip(plan.graph.inputs, inputs, strict=True):
            self._bytes_of(t)[:] = np.ascontiguousarray(given).reshape(-1).view(np.uint8)
        self.statuses.append(self._call("invoke", ctypes.byref(self._context), None, None))
        for guard in self._around:
            assert (guard == 0xA5).all(), "written outside of the arena"
        tensors = plan.graph.tensors
        return tuple(
            self._bytes_of(t).copy().view(tensors[t].dtype.numpy).reshape(tensors[t].shape) for t in plan.graph.outputs
        )

    def _bytes_of(self, tensor: int) -> Array:
        place = self.package.plan.placement_of(tensor)
        return self._arena[place.offset : place.offset + place.size]

    def _run(self, commands: int, count: int, config: int, bases: object, sizes: object, regions: int) -> int:
        self.runs += 1
        if self.runs == self.fail_at:
            return FAILED
        words = np.ctypeslib.as_array((ctypes.c_uint32 * count).from_address(commands))
        found = {}
        for i in range(regions):
            base, size = bases[i], sizes[i]  # type: ignore[index]
            if base and size:
                assert base % 16 == 0, f"region {i} is not aligned"
                found[i] = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(base))
        found[0] = found[0].copy() if 0 in found else np.zeros(0, np.uint8)
        found[0].flags.writeable = False
        try:
            Simulator(accelerator_of(config, "package")).run(words, found, "package")
        except CommandStreamError:
            return FAILED
        return 0
