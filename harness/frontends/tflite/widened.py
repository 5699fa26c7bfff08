"""Float networks whose weights are stored in fewer bits: read as float32, as interpreters compute with them.

Converters call them dynamic range quantization (int8 weights of float32 layers) and float16 quantization (DEQUANTIZE of
constants). No microcontroller gains by either; to quantize such a network, its floats are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from harness.frontends.tflite.schema import FileOperator, FileSubgraph, FileTensor
from harness.ir.graph import ABSENT
from harness.ir.operators.tflite import damaged
from harness.quantization.types import Array, DType

_DEQUANTIZE = 6
"""BuiltinOperator code."""

_STORED: dict[str, np.dtype[Any]] = {"int8": np.dtype("i1"), "float16": np.dtype("<f2")}


def widened(subgraph: FileSubgraph) -> FileSubgraph:
    """The subgraph with float32 constants in place of stored ones, and without the DEQUANTIZE of constants.

    Raises:
        ModelFileError: a constant's data or scales contradict its shape.
    """
    tensors = list(subgraph.tensors)
    left = []
    for op in subgraph.operators:
        if op.code == _DEQUANTIZE and _is_stored(tensors, op.inputs[:1]):
            made = tensors[op.outputs[0]]
            values = _floats(tensors[op.inputs[0]])
            tensors[made.index] = replace(made, type=DType.FLOAT32.value, data=values, scales=(), zero_points=())
        else:
            left.append(op)
    for op in left:
        for t in _weights(tensors, op):
            stored = tensors[t]
            tensors[t] = replace(
                stored, type=DType.FLOAT32.value, data=_floats(stored), scales=(), zero_points=()
            )
    return replace(subgraph, tensors=tuple(tensors), operators=tuple(left))


def _is_stored(tensors: list[FileTensor], inputs: tuple[int, ...]) -> bool:
    return all(t != ABSENT and tensors[t].data is not None and tensors[t].type in _STORED for t in inputs)


def _weights(tensors: list[FileTensor], op: FileOperator) -> Iterator[int]:
    """Stored constants that an operator takes along with float32 activations."""
    if not op.inputs or op.inputs[0] == ABSENT or tensors[op.inputs[0]].type != DType.FLOAT32.value:
        return
    for t in op.inputs[1:]:
        if t != ABSENT and tensors[t].type == "int8" and tensors[t].scales and _is_stored(tensors, (t,)):
            yield t


def _floats(tensor: FileTensor) -> Array:
    """The bytes of a constant as float32."""
    assert tensor.data is not None
    kind = _STORED[tensor.type]
    count = int(np.prod(tensor.shape, dtype=object)) if tensor.shape else 1
    if len(tensor.data.tobytes()) != count * kind.itemsize:
        raise damaged(f"{tensor.place}: {len(tensor.data.tobytes())} bytes of shape {list(tensor.shape)}")
    values = np.frombuffer(tensor.data.tobytes(), kind).reshape(tensor.shape).astype(np.float32)
    if tensor.scales:
        axis = tensor.axis
        if len(tensor.scales) not in (1, tensor.shape[axis] if 0 <= axis < len(tensor.shape) else 1):
            raise damaged(f"{tensor.place}: {len(tensor.scales)} scales along dimension {axis}")
        along = [1] * len(tensor.shape)
        if len(tensor.scales) > 1:
            along[axis] = -1
        zero_points = tensor.zero_points or (0,)
        zeros = np.array(zero_points if len(zero_points) in (1, len(tensor.scales)) else (0,), np.float32)
        scales = np.array(tensor.scales, np.float32)
        values = (values - zeros.reshape(along if zeros.size > 1 else -1)) * scales.reshape(
            along if scales.size > 1 else -1
        )
    return np.ascontiguousarray(values, np.float32).reshape(-1).view(np.uint8)
