"""Files of TensorFlow Lite with metadata: labels of outputs in a zip behind the model."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

from harness.frontends.tflite.labels import METADATA
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph

AXIS_LABELS = 2


def _table(builder: Any, fields: Mapping[int, tuple[str, int]]) -> int:
    builder.StartObject(8)
    for slot, (kind, value) in fields.items():
        if kind == "offset":
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
        else:
            builder.PrependInt8Slot(slot, value, 0)
    return int(builder.EndObject())


def _vector(builder: Any, values: Sequence[int]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependUOffsetTRelative(value)
    return int(builder.EndVector())


def metadata(outputs: Sequence[Sequence[tuple[str, int, str]]]) -> bytes:
    """ModelMetadata whose outputs have associated files: (name, type, locale)."""
    builder: Any = flatbuffers.Builder(256)
    tensors = []
    for files in outputs:
        made = []
        for name, kind, locale in files:
            text, where = builder.CreateString(name), builder.CreateString(locale)
            fields = {0: ("offset", text), 2: ("byte", kind), **({3: ("offset", where)} if locale else {})}
            made.append(_table(builder, fields))
        tensors.append(_table(builder, {6: ("offset", _vector(builder, made))}))
    subgraph = _table(builder, {3: ("offset", _vector(builder, tensors))})
    builder.Finish(_table(builder, {3: ("offset", _vector(builder, [subgraph]))}), b"M001")
    return bytes(builder.Output())


def with_files(data: bytes, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A model's bytes with a zip of these files behind them."""
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def labelled(graph: Graph, *labels: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The graph's file, whose output 0 has these labels."""
    model = write(graph, {METADATA: metadata([[("labels.txt", AXIS_LABELS, "")]])})
    return with_files(model, {"labels.txt": "\n".join(labels).encode()}, method)
