"""Changes to .tflite files that the project's own writer never makes: a table of the file replaced by another."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import flatbuffers
import tflite

from harness.frontends.tflite.flatbuffer import FlatTable

OPERATOR_CODES, SUBGRAPHS, BUFFERS = 6, 8, 12
TENSORS, OPERATORS = 4, 10


def element(table: FlatTable, vector: int, index: int) -> int:
    """Where the file holds the offset of an element of a vector of tables."""
    at = table.field(vector)
    return at + int.from_bytes(table.data[at : at + 4], "little") + 4 + 4 * index


def main_subgraph(data: bytes) -> FlatTable:
    """The table of subgraph 0."""
    return FlatTable.root(data, "test").tables(SUBGRAPHS, "subgraph", 8)[0]


def graft(data: bytes, at: int, name: str, fields: Mapping[str, Any]) -> bytes:
    """The file with the offset at byte `at` leading to a new table of the schema; fields are numbers, text or lists."""
    builder = flatbuffers.Builder(256)
    ready: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, str):
            value = builder.CreateString(value)
        elif isinstance(value, list):
            builder.StartVector(4, len(value), 4)
            for number in reversed(value):
                builder.PrependInt32(number)
            value = builder.EndVector()
        ready[key] = value
    getattr(tflite, f"{name}Start")(builder)
    for key, value in ready.items():
        getattr(tflite, f"{name}Add{key}")(builder, value)
    builder.Finish(getattr(tflite, f"{name}End")(builder))
    branch = bytes(builder.Output())
    stem = data + bytes(-len(data) % 16)
    target = len(stem) + struct.unpack_from("<I", branch)[0]
    return stem[:at] + struct.pack("<I", target - at) + stem[at + 4 :] + branch
