"""The frontend record of TensorFlow Lite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.frontends.frontend import Frontend

if TYPE_CHECKING:
    from harness.ir.graph import Graph


def _load(path: Path) -> Graph:
    from harness.frontends.tflite.reader import load

    return load(path)


def _load_floats(path: Path) -> Graph:
    from harness.frontends.tflite.reader import load

    return load(path, widen=True)


def _recognizes(head: bytes) -> bool:
    from harness.frontends.tflite.schema import IDENTIFIER

    return head[4:8] == IDENTIFIER


FRONTEND = Frontend((".tflite",), _load, _recognizes, _load_floats)
