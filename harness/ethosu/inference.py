"""Inferences of a model that Vela has compiled for the NPU alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.errors import UnsupportedModelError, VectorsError
from harness.ethosu.memory import Bytes
from harness.ethosu.payload import NpuOperator, VelaModel
from harness.ethosu.simulator import Observer, Simulator
from harness.frontends.tflite.schema import FileTensor
from harness.ir.operators.tflite import damaged
from harness.quantization.types import Array

CONSTANTS, ARENA, FAST = 0, 1, 2
"""Regions: weights and tables, the arena, and the NPU's fast memory, which is the arena where the file has one only."""


@dataclass
class NpuInference:
    """A compiled model with its memories.

    Raises:
        UnsupportedModelError: some operators run on the CPU, or tensors have no place in the arena.
    """

    model: VelaModel
    simulator: Simulator = field(init=False)

    def __post_init__(self) -> None:
        fallback = [op.name for op in self.model.subgraph.operators if op.custom != "ethos-u"]
        if fallback:
            raise UnsupportedModelError(
                f"{self.model.place}: {len(fallback)} operators run on the CPU, of them {fallback[0]}",
                hint="this runs models whose operators are all on the NPU",
            )
        self.simulator = Simulator(self.model.operators[0][1].accelerator)

    def run(self, inputs: Sequence[Array], observe: Observer | None = None) -> tuple[Array, ...]:
        """Outputs of one inference.

        Raises:
            VectorsError: inputs of other shapes or types than the model's.
            CommandStreamError: the NPU cannot carry out a command.
        """
        subgraph = self.model.subgraph
        arena = np.zeros(self._arena_size(), np.uint8)
        if len(inputs) != len(subgraph.inputs):
            what = f"{self.model.place}: {len(inputs)} inputs, it has {len(subgraph.inputs)}"
            raise VectorsError(what, hint="give one array for each")
        for index, given in zip(subgraph.inputs, inputs, strict=True):
            tensor = subgraph.tensors[index]
            if given.dtype.name != tensor.type or given.size != int(np.prod(tensor.shape)):
                raise VectorsError(
                    f"{tensor.place}: {given.dtype.name} {list(given.shape)}, it is {tensor.type} {list(tensor.shape)}",
                    hint="give arrays of the model's own types and shapes",
                )
            self._place(arena, index)[:] = np.ascontiguousarray(given).reshape(-1).view(np.uint8)
        for _, operator in self.model.operators:
            self.simulator.run(operator.words, regions_of(operator, arena), operator.place, observe)
        return tuple(self._value(arena, index) for index in subgraph.outputs)

    def _arena_size(self) -> int:
        sizes = [operator.scratch for _, operator in self.model.operators]
        for index, (tensor, offset) in enumerate(zip(self.model.subgraph.tensors, self.model.offsets, strict=True)):
            if index in self.model.subgraph.inputs + self.model.subgraph.outputs:
                if not 0 <= offset < 1 << 31:
                    raise damaged(f"{tensor.place}: it has no place in the arena")
                sizes.append(offset + byte_size(tensor))
        return max(sizes)

    def _place(self, arena: Bytes, index: int) -> Bytes:
        start = self.model.offsets[index]
        return arena[start : start + byte_size(self.model.subgraph.tensors[index])]

    def _value(self, arena: Bytes, index: int) -> Array:
        tensor = self.model.subgraph.tensors[index]
        value: Array = self._place(arena, index).copy().view(tensor.type).reshape(tensor.shape)
        return value


def byte_size(tensor: FileTensor) -> int:
    """Bytes of a tensor of a numpy type.

    Raises:
        ModelFileError: it is of another type, or too large.
    """
    try:
        size = int(np.prod(tensor.shape, dtype=object)) * np.dtype(tensor.type).itemsize
    except TypeError:
        raise damaged(f"{tensor.place}: type {tensor.type} at the border of the NPU") from None
    if not 0 <= size < 1 << 31:
        raise damaged(f"{tensor.place}: shape {list(tensor.shape)}")
    return size


def regions_of(operator: NpuOperator, arena: Bytes) -> dict[int, Bytes]:
    """What the driver's base pointers stand for."""
    constants = np.frombuffer(operator.constants, np.uint8)
    fast = np.zeros(operator.fast, np.uint8) if operator.fast else arena
    return {CONSTANTS: constants, ARENA: arena, FAST: fast}
