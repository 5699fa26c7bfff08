"""What Vela leaves in a .tflite file: operators `ethos-u` with command streams, and where tensors lie in the arena.

Source: Vela 5.2, regor/tflite/custom_operator_ethosu.hpp (operands) and tflite_writer.cpp (offsets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.errors import UnsupportedModelError
from harness.ethosu.accelerators import Accelerator, accelerator_of
from harness.ethosu.payload import CUSTOM_CODE, MOST_MEMORY, Words, read_payload
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.metadata import metadata_of
from harness.frontends.tflite.schema import MAX_TENSORS, FileOperator, FileSubgraph, FileTensor, read_model
from harness.ir.operators.tflite import damaged

_OFFSETS = "OfflineMemoryAllocation"


@dataclass(frozen=True, eq=False)
class NpuOperator:
    """One operator `ethos-u` of a file.

    Attributes:
        place: how errors name it.
        accelerator: what it is compiled for.
        words: the command stream.
        constants: bytes of region 0: weights, scales, tables.
        scratch: bytes that region 1, the arena, has at least.
        fast: bytes of region 2, memory of the NPU alone; 0 where it is the arena, too.
        separate: inputs are region 3 and outputs region 4, apart from the arena; offsets of tensors are within them.
        inputs, outputs: numbers of tensors in the subgraph.
    """

    place: str
    accelerator: Accelerator
    words: Words
    constants: bytes
    scratch: int
    fast: int
    separate: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class VelaModel:
    """A file compiled by Vela.

    Attributes:
        place: how errors name it.
        subgraph: its first subgraph, CPU operators included.
        operators: (number in the subgraph, operator) of those on the NPU, in order.
        offsets: byte of the arena at which each tensor begins; -1 where that is left to the interpreter.
    """

    place: str
    subgraph: FileSubgraph
    operators: tuple[tuple[int, NpuOperator], ...]
    offsets: tuple[int, ...]


def read_vela(data: bytes, place: str) -> VelaModel:
    """The parts of a file compiled by Vela.

    Raises:
        ModelFileError: it is no .tflite file, or damaged.
        UnsupportedModelError: nothing in it is for an Ethos-U55 or U65.
    """
    subgraph = read_model(data, place)[0]
    operators = tuple((op.index, _npu_operator(op, subgraph)) for op in subgraph.operators if op.custom == CUSTOM_CODE)
    if not operators:
        raise UnsupportedModelError(
            f"{place}: no operator '{CUSTOM_CODE}' in it, so nothing for the NPU",
            hint="compile it with Vela first: vela --accelerator-config ethos-u55-128 FILE.tflite",
        )
    return VelaModel(place, subgraph, operators, arena_offsets(data, place, len(subgraph.tensors)))


def _npu_operator(op: FileOperator, subgraph: FileSubgraph) -> NpuOperator:
    if len(op.inputs) < 4 or min(op.inputs[:4]) < 0:
        raise damaged(f"{op.place}: {len(op.inputs)} inputs, where a command stream and three memories are the first")
    stream, constants, scratch, fast = (subgraph.tensors[t] for t in op.inputs[:4])
    content = stream.data.tobytes() if stream.data is not None else b""
    payload = read_payload(content, stream.place)
    return NpuOperator(
        op.place,
        accelerator_of(payload.config, op.place),
        payload.words,
        constants.data.tobytes() if constants.data is not None else b"",
        _bytes_of(scratch),
        0 if fast.index == scratch.index else _bytes_of(fast),
        payload.separate,
        op.inputs[4:],
        op.outputs,
    )


def _bytes_of(tensor: FileTensor) -> int:
    size = tensor.shape[0] if tensor.shape else 0
    if len(tensor.shape) > 1 or not 0 <= size <= MOST_MEMORY:
        raise damaged(f"{tensor.place}: shape {list(tensor.shape)} of a memory; {MOST_MEMORY} bytes are simulated")
    return size


def arena_offsets(data: bytes, place: str, tensors: int) -> tuple[int, ...]:
    """Byte of the arena at which each of so many tensors begins; -1 where that is left to the interpreter.

    Raises:
        ModelFileError: the list is damaged.
    """
    content = metadata_of(FlatTable.root(data, place), _OFFSETS, MAX_TENSORS)
    if content is None:
        return (-1,) * tensors
    if len(content) < 12 + 4 * tensors:
        raise damaged(f"{place}: {len(content)} bytes of {_OFFSETS} for {tensors} tensors")
    return tuple(int(v) for v in np.frombuffer(content, "<i4")[3 : 3 + tensors])
