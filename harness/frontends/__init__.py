"""Frontends: model files -> Graph, one file format a module."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.errors import ModelFileError
from harness.frontends.tflite import reader as tflite
from harness.ir.graph import Graph

LOADERS: dict[str, Callable[[str | os.PathLike[str]], Graph]] = {".tflite": tflite.load}
"""File name suffix -> loader."""


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


__all__ = ["LOADERS", "load"]
