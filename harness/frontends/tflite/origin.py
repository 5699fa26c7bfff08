"""What tinyhil wrote into a file about how it was quantized, for reports of whoever runs it later."""

from __future__ import annotations

from harness.errors import ModelFileError
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.metadata import metadata_of

ORIGIN = "tinyhil.quantization"
"""Name of the metadata: UTF-8 text."""

_MAX_ENTRIES = 64
_MAX_CHARACTERS = 300


def origin_note(data: bytes, place: str) -> str:
    """How the file was quantized; "" where tinyhil did not do it, or the file's metadata are damaged."""
    try:
        content = metadata_of(FlatTable.root(data, place), ORIGIN, _MAX_ENTRIES) or b""
    except ModelFileError:
        return ""
    return content[: 4 * _MAX_CHARACTERS].decode("utf-8", "replace")[:_MAX_CHARACTERS]
