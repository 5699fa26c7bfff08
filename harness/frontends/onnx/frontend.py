"""The frontend record of ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ModelFileError
from harness.files.reading import TooLargeError, read_regular
from harness.frontends.frontend import Frontend

if TYPE_CHECKING:
    from harness.ir.graph import Graph

_MAX_FILE_BYTES = 256 << 20
"""float32 weights, and what training left in the file, are larger than what is made of them."""


def file_bytes(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        ModelFileError: it cannot be read, or is too large.
    """
    try:
        return read_regular(path, _MAX_FILE_BYTES)
    except TooLargeError as error:
        raise ModelFileError(
            f"{path}: {error.strerror}, which is more than tinyhil reads",
            hint="give a model that is meant for a microcontroller",
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}", hint="check the path and its permissions") from None


def _load(path: Path) -> Graph:
    from harness.frontends import foreign
    from harness.frontends.onnx.reader import read

    data = file_bytes(path)
    head = data[: foreign.HEAD]
    known = foreign.of_path(path, head) if head[4:8] == b"TFL3" else foreign.of_content(head)
    if known is not None and known != foreign.KINDS[".onnx"]:
        raise ModelFileError(f"{path}: this is {known[0]}", hint=known[1])
    return read(data, str(path), path.stem)


FRONTEND = Frontend((".onnx",), _load)
