"""Frontends: model files -> Graph, one file format a module."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ModelFileError

if TYPE_CHECKING:
    from harness.ir.graph import Graph


def _tflite(path: str | os.PathLike[str]) -> Graph:
    from harness.frontends.tflite import reader  # here, so that is_model costs nothing where there is no model

    return reader.load(path)


LOADERS: dict[str, Callable[[str | os.PathLike[str]], Graph]] = {".tflite": _tflite}
"""File name suffix -> loader."""


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file is named as a model that `load` reads."""
    return Path(path).suffix.lower() in LOADERS


def load(path: str | os.PathLike[str]) -> Graph:
    """Reads a model file into a verified Graph; its suffix tells the format.

    Raises:
        ModelFileError: another format, no such file, or a damaged one.
        UnsupportedModelError: the model uses what tinyhil does not compile.
        GraphError: the model breaks a rule of the verifier.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in LOADERS:
        formats = ", ".join(sorted(LOADERS))
        if not Path(path).exists():
            raise ModelFileError(f"{path}: no such file", hint=f"correct the path; models are files named *{formats}")
        raise ModelFileError(f"{path}: format '{suffix}' is not supported", hint=f"supported are {formats}")
    return LOADERS[suffix](path)


__all__ = ["LOADERS", "is_model", "load"]
