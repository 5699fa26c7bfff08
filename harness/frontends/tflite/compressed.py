"""Files whose constants TFLM's tools have compressed, read with their values decompressed.

Two forms are known. Files of 2024 to 2025 have metadata COMPRESSION_METADATA, which names the tensors whose buffers are
indices. Newer ones have an operator TFLM_DECODE before each operator that reads a compressed constant. Sources:
tflite-micro, tensorflow/lite/micro/docs/compression.md, compression/metadata.fbs and kernels/decode_state_*.cc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from harness.frontends.tflite.decoding import decoded, looked_up
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.metadata import metadata_of
from harness.frontends.tflite.schema import MAX_SUBGRAPHS, MAX_TENSORS, FileOperator, FileSubgraph, FileTensor
from harness.ir.graph import ABSENT
from harness.ir.operators.tflite import Unsupported, damaged
from harness.quantization.types import Array

METADATA = "COMPRESSION_METADATA"
DECODE = "TFLM_DECODE"
"""Custom code of the operator."""

_SCHEMA_VERSION = 1
_MAX_ENTRIES = 64


def is_compressed(data: bytes, place: str, subgraphs: Sequence[FileSubgraph]) -> bool:
    """Whether something in a file has to be decompressed."""
    decodes = any(op.custom == DECODE for subgraph in subgraphs for op in subgraph.operators)
    return decodes or metadata_of(FlatTable.root(data, place), METADATA, _MAX_ENTRIES) is not None


def decompressed(data: bytes, place: str, subgraphs: Sequence[FileSubgraph]) -> tuple[FileSubgraph, ...]:
    """The subgraphs with the values of all compressed constants, and without the operators that decode them.

    Raises:
        ModelFileError: the metadata, an index or a table of values is damaged; named by place.
        Unsupported: something is compressed in a way that is not known.
    """
    found = _from_metadata(data, place, subgraphs)
    return tuple(map(_without_decode, found))


# --- metadata --------------------------------------------------------------------------------------------------------


def _from_metadata(data: bytes, place: str, subgraphs: Sequence[FileSubgraph]) -> tuple[FileSubgraph, ...]:
    model = FlatTable.root(data, place)
    content = metadata_of(model, METADATA, _MAX_ENTRIES)
    if content is None:
        return tuple(subgraphs)
    where = f"{place}, {METADATA}"
    root = FlatTable.root(content, where)
    version = root.integer(4, "<I", 1)
    if version > _SCHEMA_VERSION:
        raise Unsupported(f"{METADATA} of version {version}, where tinyhil knows {_SCHEMA_VERSION}")
    tables = root.tables(6, "subgraph", MAX_SUBGRAPHS)
    if len(tables) > len(subgraphs):
        raise damaged(f"{where}: {len(tables)} subgraphs, the model has {len(subgraphs)}")
    buffers = model.tables(12, "buffer", 4 * MAX_TENSORS)
    made = list(subgraphs)
    for index, table in enumerate(tables):
        made[index] = _with_tables(made[index], table, buffers)
    return tuple(made)


def _with_tables(subgraph: FileSubgraph, table: FlatTable, buffers: Sequence[FlatTable]) -> FileSubgraph:
    """A subgraph with the tensors decompressed that its part of the metadata lists."""
    tensors = list(subgraph.tensors)
    seen: set[int] = set()
    for entry in table.tables(4, "lut_tensor", MAX_TENSORS):
        t, buffer, bits = entry.integer(4), entry.integer(6, "<I"), entry.integer(8, "<B")
        if not 0 <= t < len(tensors) or t in seen:
            again = " for the second time" if t in seen else ""
            raise damaged(f"{entry.place}: tensor {t}{again}, of {len(tensors)} tensors")
        if buffer >= len(buffers):
            raise damaged(f"{entry.place}: value_buffer {buffer}, of {len(buffers)} buffers")
        seen.add(t)
        tensor = tensors[t]
        if tensor.data is None:
            raise damaged(f"{entry.place}: {tensor.place} has no indices")
        values = np.asarray(buffers[buffer].array(4, "<u1", "data"), np.uint8)
        axis = _channel_axis(tensor, entry.place)
        channels = 1 if axis is None else tensor.shape[axis]
        tensors[t] = looked_up(tensor, tensor.data, values, bits, axis, len(values) // max(channels, 1), entry.place)
    return replace(subgraph, tensors=tuple(tensors))


def _channel_axis(tensor: FileTensor, place: str) -> int | None:
    """The dimension along which a tensor has tables of its own: TFLM takes that of its scales, if there are several."""
    if len(tensor.scales) < 2:
        return None
    axis = tensor.axis
    if axis not in (0, len(tensor.shape) - 1) or tensor.shape[axis] != len(tensor.scales):
        raise damaged(f"{place}: {tensor.place} has {len(tensor.scales)} scales along dimension {axis}")
    return axis


# --- operator --------------------------------------------------------------------------------------------------------


def _without_decode(subgraph: FileSubgraph) -> FileSubgraph:
    """A subgraph with constants in place of what TFLM_DECODE writes."""
    if not any(op.custom == DECODE for op in subgraph.operators):
        return subgraph
    tensors = list(subgraph.tensors)
    left: list[FileOperator] = []
    for op in subgraph.operators:
        if op.custom == DECODE:
            _decode(tensors, op)
        else:
            left.append(replace(op, index=len(left)))
    return replace(subgraph, tensors=tuple(tensors), operators=tuple(left))


def _decode(tensors: list[FileTensor], op: FileOperator) -> None:
    """Gives the outputs of a decoding operator their values."""
    if len(op.inputs) != 2 * len(op.outputs) or ABSENT in op.inputs:
        raise damaged(f"{op.place}: {DECODE} with {len(op.inputs)} inputs for {len(op.outputs)} outputs")
    for place, t in enumerate(op.outputs):
        encoded, ancillary = (_bytes(tensors[i], op) for i in op.inputs[2 * place : 2 * place + 2])
        if tensors[t].data is not None:
            raise damaged(f"{op.place}: {DECODE} writes {tensors[t].place}, which is a constant")
        tensors[t] = decoded(tensors[t], encoded, ancillary, op.place)


def _bytes(tensor: FileTensor, op: FileOperator) -> Array:
    if tensor.data is None:
        raise Unsupported(f"{DECODE} of values computed at run time ({op.place})")
    if tensor.type != "uint8" or tensor.data.size != prod(tensor.shape):
        raise damaged(f"{op.place}: {tensor.place} is {tensor.type}{list(tensor.shape)} of {tensor.data.size} bytes")
    return tensor.data
