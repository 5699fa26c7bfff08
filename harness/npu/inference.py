"""Inferences of a model that Vela has compiled for the NPU alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.errors import UnsupportedModelError, VectorsError
from harness.ethosu.memory import Bytes
from harness.ethosu.payload import MOST_MEMORY
from harness.ethosu.simulator import Observer, Simulator
from harness.frontends.tflite.schema import FileTensor
from harness.frontends.tflite.vela_file import NpuOperator, VelaModel
from harness.ir.operators.tflite import damaged
from harness.quantization.types import Array

CONSTANTS, ARENA, FAST, INPUTS, OUTPUTS = range(5)
"""Regions: weights and tables, the arena, the NPU's fast memory, and inputs and outputs where they are apart.

Fast memory is the arena where the file has one only.
"""


@dataclass
class NpuInference:
    """A compiled model with its memories. States, as an LSTM has them, live from one inference to the next.

    Raises:
        UnsupportedModelError: some operators run on the CPU, or tensors have no place in the arena.
    """

    model: VelaModel
    simulator: Simulator = field(init=False)
    _states: dict[int, Bytes] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        fallback = [op.name for op in self.model.subgraph.operators if op.custom != "ethos-u"]
        if fallback:
            raise UnsupportedModelError(
                f"{self.model.place}: {len(fallback)} operators run on the CPU, of them {fallback[0]}",
                hint="this runs models whose operators are all on the NPU",
            )
        if len(self.model.operators) > 1 and any(operator.separate for _, operator in self.model.operators):
            raise UnsupportedModelError(
                f"{self.model.place}: several NPU operators, with inputs and outputs apart from the arena",
                hint="compile it without --separate-io-regions",
            )
        self.simulator = Simulator(self.model.operators[0][1].accelerator)

    def run(self, inputs: Sequence[Array], observe: Observer | None = None) -> tuple[Array, ...]:
        """Outputs of one inference.

        Raises:
            VectorsError: inputs of other shapes or types than the model's.
            CommandStreamError: the NPU cannot carry out a command.
        """
        subgraph = self.model.subgraph
        memories = self._memories()
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
            self._place(memories[INPUTS], index)[:] = np.ascontiguousarray(given).reshape(-1).view(np.uint8)
        states = [t.index for t in subgraph.tensors if t.variable and self.model.offsets[t.index] >= 0]
        for index in states:
            self._place(memories[ARENA], index)[:] = self._states.get(index, 0)
        for _, operator in self.model.operators:
            regions = regions_of(operator, memories[ARENA])
            if operator.separate:
                regions |= {INPUTS: memories[INPUTS], OUTPUTS: memories[OUTPUTS]}
            self.simulator.run(operator.words, regions, operator.place, observe)
        self._states = {index: self._place(memories[ARENA], index).copy() for index in states}
        return tuple(self._value(memories[OUTPUTS], index) for index in subgraph.outputs)

    def _memories(self) -> dict[int, Bytes]:
        """The arena, and where inputs and outputs lie, which is the arena unless they are apart."""
        subgraph, operators = self.model.subgraph, [operator for _, operator in self.model.operators]
        inputs, outputs = self._reach(subgraph.inputs), self._reach(subgraph.outputs)
        scratch = max(operator.scratch for operator in operators)
        if operators[0].separate:
            sizes = {ARENA: scratch, INPUTS: inputs, OUTPUTS: outputs}
            return {region: np.zeros(size, np.uint8) for region, size in sizes.items()}
        arena = np.zeros(max(scratch, inputs, outputs), np.uint8)
        return dict.fromkeys((ARENA, INPUTS, OUTPUTS), arena)

    def _reach(self, tensors: Sequence[int]) -> int:
        """Bytes up to the end of the last of some tensors."""
        ends = []
        for index in tensors:
            tensor, offset = self.model.subgraph.tensors[index], self.model.offsets[index]
            if offset < 0 or offset + byte_size(tensor) > MOST_MEMORY:
                raise damaged(f"{tensor.place}: it has no place in the arena, or one beyond {MOST_MEMORY} bytes")
            ends.append(offset + byte_size(tensor))
        return max(ends, default=0)

    def _place(self, memory: Bytes, index: int) -> Bytes:
        start = self.model.offsets[index]
        return memory[start : start + byte_size(self.model.subgraph.tensors[index])]

    def _value(self, memory: Bytes, index: int) -> Array:
        tensor = self.model.subgraph.tensors[index]
        value: Array = self._place(memory, index).copy().view(tensor.type).reshape(tensor.shape)
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
    if not 0 <= size <= MOST_MEMORY:
        raise damaged(f"{tensor.place}: shape {list(tensor.shape)}")
    return size


def regions_of(operator: NpuOperator, arena: Bytes) -> dict[int, Bytes]:
    """What the driver's base pointers stand for."""
    constants = np.frombuffer(operator.constants, np.uint8)
    fast = np.zeros(operator.fast, np.uint8) if operator.fast else arena
    return {CONSTANTS: constants, ARENA: arena, FAST: fast}
