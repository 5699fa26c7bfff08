"""The record of a frontend: a format of model files, and its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.ir.graph import Graph


def _always(head: bytes) -> bool:
    return True


@dataclass(frozen=True)
class Frontend:
    """A format of model files.

    Attributes:
        suffixes: of its files, in lower case with their dot.
        load: reads a file into a verified Graph, whose `model` is a .tflite of the same network, for the oracles.
            Raises ModelFileError, UnsupportedModelError, GraphError.
        recognizes: whether a file that begins with these bytes is of the format; decides between frontends with the
            same suffix.
        load_floats: as `load`, with weights of a float network that are stored in fewer bits read as float32; None
            where the format has no such.
    """

    suffixes: tuple[str, ...]
    load: Callable[[Path], Graph]
    recognizes: Callable[[bytes], bool] = _always
    load_floats: Callable[[Path], Graph] | None = None
