"""Metadata of a .tflite file: bytes by name."""

from __future__ import annotations

from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.schema import MAX_TENSORS


def metadata_of(model: FlatTable, name: str, most: int) -> bytes | None:
    """What the file's first entry `name` holds, of at most `most` entries; None without such an entry.

    Raises:
        ModelFileError: the table of entries, or this one, is damaged.
    """
    for entry in model.tables(16, "metadata", most):
        if entry.text(4, "name") == name:
            buffers = model.tables(12, "buffer", 4 * MAX_TENSORS)
            index = entry.integer(6, "<I")
            return buffers[index].array(4, "<u1", "data").tobytes() if index < len(buffers) else b""
    return None
