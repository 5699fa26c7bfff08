"""Runs relocatable models and their static forms on Unicorn's bare cores: no memory but theirs, counted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness import resources
from harness.build.jobs import run_tool
from harness.build.port import core_flags
from harness.build.sources import COMMON_FLAGS
from harness.build.toolchain import find
from harness.compiler.emit.package import Package
from harness.elf.segments import loadable_segments
from harness.elf.symbols import symbol_address
from harness.hardware.cores import core
from harness.quantization.types import Array
from harness.relocatable.make import Relocatable

ARENA_END, CONTEXT, STACK, RETURN = 0x2180_0000, 0x2200_0000, 0x2300_0000, 0x2400_0000
"""The arena ends where its memory ends, as nearly as its alignment lets it."""
STACK_BYTES = 0x4000
STATIC_AT = 0x0800_0000
PAGE = 0x1000


@dataclass(frozen=True)
class Ran:
    """What inferences gave: outputs of each, and the instructions of the first; sizes in flash."""

    outputs: tuple[tuple[Array, ...], ...]
    instructions: int


class BareCore:
    """A core with code, arena, context and stack: whatever else is touched ends the run with an error."""

    def __init__(self, name: str, places: Sequence[tuple[int, bytes]], arena_bytes: int, arena_align: int) -> None:
        import unicorn
        from unicorn import arm_const

        self._unicorn, self._arm = unicorn, arm_const
        self.machine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.machine.ctl_set_cpu_model(getattr(arm_const, f"UC_CPU_ARM_{core(name).unicorn}"))
        self._mapped: set[int] = set()
        for address, data in places:
            self._map(address, len(data), unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
            self.machine.mem_write(address, data)
        self.arena = (ARENA_END - arena_bytes) // arena_align * arena_align
        self._map(self.arena, arena_bytes, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self._map(CONTEXT, 32, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self._map(STACK, STACK_BYTES, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
        self._map(RETURN, 4, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        if core(name).features and name != "cortex-m3":
            self._map(0xE000_E000, PAGE, unicorn.UC_PROT_ALL)
            self._enable_fpu()
        self.instructions = 0

    def _map(self, address: int, size: int, access: int) -> None:
        for page in range(address // PAGE, (address + max(size, 1) - 1) // PAGE + 1):
            if page not in self._mapped:
                self.machine.mem_map(page * PAGE, PAGE, access)
                self._mapped.add(page)

    def _enable_fpu(self) -> None:
        arm = self._arm
        if hasattr(arm, "UC_ARM_REG_FPEXC"):
            self.machine.reg_write(arm.UC_ARM_REG_FPEXC, 0x4000_0000)
            self.machine.reg_write(arm.UC_ARM_REG_C1_C0_2, 0x00F0_0000)

    def call(self, address: int, arguments: Sequence[int], *, counted: bool = False) -> int:
        """What a function returns."""
        arm = self._arm
        for register, value in enumerate((*arguments, *[0] * (4 - len(arguments)))):
            self.machine.reg_write(getattr(arm, f"UC_ARM_REG_R{register}"), value)
        self.machine.reg_write(arm.UC_ARM_REG_SP, STACK + STACK_BYTES)
        self.machine.reg_write(arm.UC_ARM_REG_LR, RETURN | 1)
        hook = None
        if counted:
            self.instructions = 0

            def count(_machine: object, _at: int, _size: int, _data: object) -> None:
                self.instructions += 1

            hook = self.machine.hook_add(self._unicorn.UC_HOOK_CODE, count)
        self.machine.emu_start(address | 1, RETURN)
        if hook is not None:
            self.machine.hook_del(hook)
        return int(self.machine.reg_read(arm.UC_ARM_REG_R0))


def run_relocatable(
    made: Relocatable, address: int, vectors: Sequence[Sequence[Array]], *, weights_at: int = 0, counted: bool = True
) -> Ran:
    """Inferences of a model that lies at `address`, one after the other."""
    model = made.model
    assert address % model.align == 0
    places = [(address, made.file)]
    if made.weights is not None:
        assert weights_at % model.weights_align == 0
        places.append((weights_at, made.weights))
    bare = BareCore(model.core, places, model.arena_bytes, model.arena_align)
    status = bare.call(address + model.init, (CONTEXT, bare.arena, model.arena_bytes, weights_at))
    assert status == 0, f"init gives {status}"
    inputs = [one.offset for one in model.inputs]
    outputs = [(one.offset, one.dtype.numpy, one.shape) for one in model.outputs]
    return _infer(bare, address + model.invoke, inputs, outputs, vectors, counted)


def _infer(bare, invoke, inputs, outputs, vectors, counted) -> Ran:  # type: ignore[no-untyped-def]
    found = []
    first = 0
    for number, vector in enumerate(vectors):
        for offset, array in zip(inputs, vector, strict=True):
            bare.machine.mem_write(bare.arena + offset, np.ascontiguousarray(array).tobytes())
        status = bare.call(invoke, (CONTEXT, 0, 0), counted=counted and number == 0)
        assert status == 0, f"invoke gives {status}"
        first = first or bare.instructions
        found.append(
            tuple(
                np.frombuffer(
                    bare.machine.mem_read(bare.arena + offset, int(np.prod(shape, dtype=int)) * dtype.itemsize), dtype
                ).reshape(shape)
                for offset, dtype, shape in outputs
            )
        )
    return Ran(tuple(found), first)


def run_static(package: Package, vectors: Sequence[Sequence[Array]]) -> tuple[Ran, int]:
    """The same of the package as it is linked into a firmware, and its bytes of flash."""
    plan = package.plan
    toolchain = find("arm")
    flags = core_flags(resources.firmware(), plan.core)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, text in package.files.items():
            (folder / name).write_text(text)
        elf = folder / "static.elf"
        command = [
            str(toolchain.cc), *COMMON_FLAGS, *flags, "-nostartfiles", "-static", "-Wl,--gc-sections",
            "-Wl,--no-warn-rwx-segments", f"-Wl,-Ttext={STATIC_AT:#x}", f"-Wl,-e,{plan.name}_init",
            f"-Wl,-u,{plan.name}_invoke", *package.sources, "-o", str(elf),
        ]  # fmt: skip
        run_tool(command, folder, "the static form does not link", toolchain)
        segments = [(s.address, s.data) for s in loadable_segments(elf)]
        places = [symbol_address(elf, f"{plan.name}_{entry}") or 0 for entry in ("init", "invoke")]
    bare = BareCore(plan.core, segments, plan.arena_size, plan.arena_align)
    assert bare.call(places[0], (CONTEXT, bare.arena, plan.arena_size)) == 0
    tensors = plan.graph.tensors
    inputs = [plan.placement_of(number).offset for number in plan.graph.inputs]
    outputs = [
        (plan.placement_of(number).offset, tensors[number].dtype.numpy, tensors[number].shape)
        for number in plan.graph.outputs
    ]
    return _infer(bare, places[1], inputs, outputs, vectors, True), sum(len(data) for _, data in segments)
