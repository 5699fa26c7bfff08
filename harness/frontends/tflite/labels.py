"""Names of classes that a .tflite file brings: its metadata names a text file, which lies in a zip behind the model.

They change nothing of what is computed, so metadata that is damaged or without bounds is passed over. Source:
TensorFlow Lite metadata_schema.fbs; the nth field of a table has vtable offset 4 + 2 * n.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from harness.errors import ModelFileError
from harness.frontends.tflite.flatbuffer import FlatTable
from harness.frontends.tflite.metadata import metadata_of
from harness.frontends.tflite.schema import MAX_CHANNELS, MAX_OPERANDS

METADATA = "TFLITE_METADATA"
MAX_CHARACTERS = 200
"""Characters of a label that are kept."""

_TENSOR_AXIS_LABELS = 2
_MAX_ENTRIES = 64
_MAX_LABEL_BYTES = 1 << 20
_MAX_DIRECTORY_BYTES = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others may ask for any amount of memory
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x07"
_END_SIZE = 22
_MAX_COMMENT = 0xFFFF


def output_labels(data: bytes, place: str) -> tuple[tuple[str, ...], ...]:
    """Per output of subgraph 0 that metadata describes: its labels, in the order of its last axis; () without."""
    try:
        described = _metadata(FlatTable.root(data, place), place)
        if described is None:
            return ()
        subgraphs = described.tables(10, "subgraph metadata", _MAX_ENTRIES)
        outputs = subgraphs[0].tables(10, "output metadata", MAX_OPERANDS) if subgraphs else ()
        names = [_labels_file(output) for output in outputs]
        return tuple(_lines(data, name) for name in names)
    except (ModelFileError, OSError, ValueError, KeyError, RuntimeError, NotImplementedError, EOFError):
        return ()
    except (zipfile.BadZipFile, zlib.error, struct.error):
        return ()


def _metadata(model: FlatTable, place: str) -> FlatTable | None:
    content = metadata_of(model, METADATA, _MAX_ENTRIES)
    return None if content is None else FlatTable.root(content, f"{place}, metadata")


def _labels_file(output: FlatTable) -> str:
    """Name of the first file with labels of an axis, the one for any language if there is one; "" without."""
    files = [
        file
        for file in output.tables(16, "associated file", _MAX_ENTRIES)
        if file.integer(8, "<b") == _TENSOR_AXIS_LABELS
    ]
    files.sort(key=lambda file: file.text(10, "locale") != "")
    return files[0].text(4, "name") if files else ""


def _lines(data: bytes, name: str) -> tuple[str, ...]:
    """The lines of a text file of the zip; () without one, or when it is large."""
    if not name or not _is_bounded(data):
        return ()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo(name)
        if entry.file_size > _MAX_LABEL_BYTES or entry.compress_type not in _METHODS:
            return ()
        with archive.open(entry) as file:
            content = file.read(_MAX_LABEL_BYTES + 1)
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(content) > _MAX_LABEL_BYTES or len(lines) > MAX_CHANNELS:
        return ()
    return tuple(line.strip()[:MAX_CHARACTERS] for line in lines)


def _is_bounded(data: bytes) -> bool:
    """Whether the list of files at the end is short enough to be read: zipfile reads all of it, whatever it claims."""
    tail = data[-(_END_SIZE + _MAX_COMMENT) :]
    at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail) or _END_64 in tail:
        return False
    return int(struct.unpack_from("<I", tail, at + 12)[0]) <= _MAX_DIRECTORY_BYTES
