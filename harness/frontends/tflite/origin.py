"""What tinyhil wrote into a file about how it was quantized, for reports of whoever runs it later."""

from __future__ import annotations

from harness.errors import ModelFileError
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.schema import MAX_TENSORS

ORIGIN = "tinyhil.quantization"
"""Name of the metadata: UTF-8 text."""

_MAX_ENTRIES = 64
_MAX_CHARACTERS = 300


def origin_note(data: bytes, place: str) -> str:
    """How the file was quantized; "" where tinyhil did not do it, or the file's metadata are damaged."""
    try:
        model = FlatTable.root(data, place)
        for entry in model.tables(16, "metadata", _MAX_ENTRIES):
            if entry.text(4, "name") == ORIGIN:
                buffers = model.tables(12, "buffer", 4 * MAX_TENSORS)
                index = entry.integer(6, "<I")
                content = buffers[index].array(4, "<u1", "data").tobytes() if index < len(buffers) else b""
                return content[: 4 * _MAX_CHARACTERS].decode("utf-8", "replace")[:_MAX_CHARACTERS]
    except ModelFileError:
        pass
    return ""
