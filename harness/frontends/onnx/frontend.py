"""The frontend record of ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ModelFileError
from harness.frontends.frontend import Frontend
from harness.frontends.model_file import read_model_file

if TYPE_CHECKING:
    from harness.ir.graph import Graph

_MAX_FILE_BYTES = 256 << 20
"""float32 weights, and what training left in the file, are larger than what is made of them."""


def file_bytes(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        ModelFileError: it cannot be read, or is too large.
    """
    return read_model_file(path, _MAX_FILE_BYTES)


def _load(path: Path) -> Graph:
    from harness.frontends import foreign
    from harness.frontends.onnx.reader import read

    data = file_bytes(path)
    head = data[: foreign.HEAD]
    known = foreign.of_path(path, head) if head[4:8] == b"TFL3" else foreign.of_content(head)
    if known is not None and known != foreign.KINDS[".onnx"]:
        raise ModelFileError(f"{path}: this is {known[0]}", hint=known[1])
    return read(data, str(path), path.stem, folder=path.parent)


FRONTEND = Frontend((".onnx",), _load)
