"""Files with TFLM's COMPRESSION_METADATA, which no tool of today writes any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np

from harness.frontends.tflite.compressed import METADATA
from harness.frontends.tflite.serialize import TensorDraft, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph
from harness.quantization.shared_values import shared_values
from harness.quantization.types import Array


@dataclass(frozen=True)
class LutEntry:
    """An entry of the metadata: tensor, value_buffer, index_bitwidth."""

    tensor: int
    buffer: int
    bits: int


def lut_metadata(subgraphs: Sequence[Sequence[LutEntry]], version: int = 1) -> bytes:
    """The content of COMPRESSION_METADATA."""
    builder: Any = flatbuffers.Builder(256)
    tables = []
    for entries in subgraphs:
        made = []
        for entry in entries:
            builder.StartObject(3)
            builder.PrependInt32Slot(0, entry.tensor, 0)
            builder.PrependUint32Slot(1, entry.buffer, 0)
            builder.PrependUint8Slot(2, entry.bits, 0)
            made.append(builder.EndObject())
        vector = _offsets(builder, made)
        builder.StartObject(1)
        builder.PrependUOffsetTRelativeSlot(0, vector, 0)
        tables.append(builder.EndObject())
    vector = _offsets(builder, tables)
    builder.StartObject(2)
    builder.PrependUint32Slot(0, version, 1)
    builder.PrependUOffsetTRelativeSlot(1, vector, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def _offsets(builder: Any, values: Sequence[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return int(builder.EndVector())


def bits_of(indices: Array, bits: int) -> Array:
    """Indices as text of 0 and 1, eight characters a byte: as TFLM's page shows it."""
    text = "".join(f"{int(i):0{bits}b}" for i in indices.reshape(-1))
    text += "0" * (-len(text) % 8)
    return np.array([int(text[i : i + 8], 2) for i in range(0, len(text), 8)], np.uint8)


def with_metadata(graph: Graph, weights: Sequence[int], bits: int, content: bytes | None = None) -> bytes:
    """The file of a graph with some constants as indices; tables are a channel's where scales are.

    content: instead of the metadata that belong there.
    """
    subgraphs = draft(graph)
    main = subgraphs[0]
    values: dict[str, bytes] = {}
    first = 1 + sum(tensor.data is not None for subgraph in subgraphs for tensor in subgraph.tensors)
    entries = []
    for t in weights:
        tensor = graph.tensors[t]
        assert tensor.data is not None
        axis = tensor.q.axis if tensor.quant is not None and tensor.q.per_channel else None
        shared = shared_values(tensor.data, 1 << bits, axis)
        assert shared is not None
        whole = main.tensors[t]
        main.tensors[t] = TensorDraft(
            whole.name, whole.shape, whole.type, whole.quant, bits_of(shared.indices, bits)
        )
        entries.append(LutEntry(t, first + len(values), bits))
        values[f"values {t}"] = shared.tables.tobytes()
    return serialize(subgraphs, {**values, METADATA: lut_metadata([entries]) if content is None else content})
