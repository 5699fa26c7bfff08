"""Frontends: model files -> Graph, one folder for each format."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ModelFileError
from harness.files.reading import open_regular
from harness.plugins import Table

if TYPE_CHECKING:
    from harness.frontends.frontend import Frontend
    from harness.ir.graph import Graph

FRONTENDS: Table[Frontend] = Table(
    "frontend",
    "tinyhil.frontends",
    {"tflite": "harness.frontends.tflite.frontend:FRONTEND", "onnx": "harness.frontends.onnx.frontend:FRONTEND"},
)
"""Name -> frontend."""

_HEAD = 64
"""Bytes from the beginning of a file that frontends may recognize it by."""


@cache
def suffixes() -> dict[str, tuple[Frontend, ...]]:
    """File name suffix -> frontends that read such files.

    Raises:
        PluginError: another package's frontend cannot be loaded.
    """
    found: dict[str, tuple[Frontend, ...]] = {}
    for frontend in map(FRONTENDS.get, FRONTENDS.names()):
        for suffix in frontend.suffixes:
            found[suffix] = (*found.get(suffix, ()), frontend)
    return found


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file has a suffix that `load` reads.

    Raises:
        PluginError: another package's frontend cannot be loaded.
    """
    suffix = Path(path).suffix.lower()
    return bool(suffix) and suffix in suffixes()


def unreadable(path: str | os.PathLike[str]) -> ModelFileError | None:
    """The error for a path that no frontend reads, with the next step from what is there; None where one may read it.

    Raises:
        PluginError: another package's frontend cannot be loaded.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    known = suffix in suffixes()
    return None if known and path.is_file() else _unreadable(path, "" if known else suffix)


def load(path: str | os.PathLike[str], *, floats: bool = False) -> Graph:
    """Reads a model file into a verified Graph; its suffix decides the format, or its content if several share one.

    With `floats` weights of a float network that are stored in fewer bits are read as float32.

    Raises:
        ModelFileError: no frontend reads the format, there is no such file, or it is damaged.
        UnsupportedModelError: the model uses something that tinyhil does not compile.
        GraphError: the model breaks a rule of the verifier.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    able = suffixes().get(suffix, ())
    error = unreadable(path)
    if error is not None:
        raise error
    if len(able) > 1:
        able = tuple(frontend for frontend in able if frontend.recognizes(_head(path))) or able
    reads = able[0].load_floats if floats else None
    return (reads or able[0].load)(path)


def _unreadable(path: Path, suffix: str) -> ModelFileError | None:
    """The error for what no frontend reads; None where the frontend itself says best what is wrong."""
    from harness.frontends import foreign

    formats = ", ".join(sorted(suffixes()))
    known = foreign.of_path(path, _head(path, foreign.HEAD)) if _exists(path) or foreign.is_url(str(path)) else None
    if known is not None:
        unread = f"; format '{suffix}' is not supported" if suffix else ""
        kind = "directory: " if path.is_dir() else ""
        return ModelFileError(f"{path}: {kind}this is {known[0]}{unread}", hint=known[1])
    if path.suffix.lower() in suffixes():
        return None
    if not _exists(path):
        return ModelFileError(f"{path}: no such file", hint=f"correct the path; models are files named *{formats}")
    return ModelFileError(f"{path}: format '{suffix}' is not supported", hint=f"supported are {formats}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except ValueError:  # a path that no file can have
        return False


def _head(path: Path, size: int = _HEAD) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(size)
    except OSError:
        return b""  # the frontend raises the error for an unreadable file


__all__ = ["FRONTENDS", "is_model", "load", "suffixes", "unreadable"]
