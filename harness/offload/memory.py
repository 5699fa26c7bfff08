"""Bytes that a compiled model takes, by what they are, and the memories that they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from harness.ethosu.disassembly import WORD
from harness.ethosu.payload import CUSTOM_CODE
from harness.frontends.tflite.schema import FileSubgraph, FileTensor
from harness.offload.compilation import NpuCompilation

CONSTANTS, ARENA, CACHE = range(3)
"""Areas of a memory mode, in its order."""

MEMORIES = 4
"""The first inputs of an NPU operator: command stream, constants, arena, fast memory."""


@dataclass(frozen=True)
class NpuMemoryUse:
    """Bytes of a compiled model.

    Attributes:
        arena: activations, of the CPU's operators, too, and scratch of the NPU.
        fast: memory of the NPU alone; 0 where the arena serves.
        constants: weights, scales and tables of the NPU.
        commands: the command streams.
        cpu_constants: weights of operators on the CPU.
        memories: name such as Sram or OffChipFlash -> bytes; empty where no configuration says.
    """

    arena: int
    fast: int
    constants: int
    commands: int
    cpu_constants: int
    memories: Mapping[str, int]

    @property
    def written(self) -> int:
        """Bytes that must be RAM."""
        return self.arena + self.fast

    @property
    def read_only(self) -> int:
        """Bytes that can be flash."""
        return self.constants + self.commands + self.cpu_constants


def memory_of(compilation: NpuCompilation) -> NpuMemoryUse | None:
    """The bytes of a compiled model; None for an accelerator that is not simulated, whose file is not read."""
    if not compilation.simulated:
        return None
    operators = () if compilation.model is None else [operator for _, operator in compilation.model.operators]
    mode = compilation.mode
    # Vela 3 and 4 name fast memory that is the arena over again where both are behind one port.
    apart = mode is None or mode.ports[CACHE] != mode.ports[ARENA]
    fast = max((operator.fast for operator in operators), default=0) if apart else 0
    arena = max([_reach(compilation), *(operator.scratch for operator in operators)])
    constants = sum(len(operator.constants) for operator in operators)
    commands = sum(len(operator.words) * WORD for operator in operators)
    on_cpu = _cpu_constants(compilation.subgraph)
    memories: dict[str, int] = {}
    if compilation.system is not None and compilation.mode is not None:
        sizes = {CONSTANTS: constants + commands + on_cpu, ARENA: arena, CACHE: fast}
        for area, size in sizes.items():
            name = compilation.system.ports[compilation.mode.ports[area]].name
            if area == CONSTANTS and compilation.mode.ports[CONSTANTS] == compilation.mode.ports[ARENA]:
                name = "OnChipFlash"  # as Vela has it: constants behind the port of the arena
            memories[name] = memories.get(name, 0) + size
    return NpuMemoryUse(arena, fast, constants, commands, on_cpu, {k: v for k, v in memories.items() if v})


def _reach(compilation: NpuCompilation) -> int:
    """Bytes up to the end of the last tensor in the arena; stream and memories of an NPU operator are no tensors."""
    if compilation.model is None:
        return 0
    operators = [operator for operator in compilation.subgraph.operators if operator.custom == CUSTOM_CODE]
    others = {index for operator in operators for index in operator.inputs[:MEMORIES]}
    placed = zip(compilation.subgraph.tensors, compilation.model.offsets, strict=True)
    ends = (offset + _size(tensor) for tensor, offset in placed if offset >= 0 and tensor.index not in others)
    return max(ends, default=0)


def _cpu_constants(subgraph: FileSubgraph) -> int:
    used = {index for operator in subgraph.operators if operator.custom != CUSTOM_CODE for index in operator.inputs}
    tensors = (subgraph.tensors[index] for index in used if index >= 0)
    return sum(tensor.data.nbytes for tensor in tensors if tensor.data is not None)


def _size(tensor: FileTensor) -> int:
    try:
        return int(prod(tensor.shape)) * np.dtype(tensor.type).itemsize
    except TypeError:
        return 0
