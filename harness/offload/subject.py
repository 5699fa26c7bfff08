"""The model that goes to the NPU, as its file, and as a Graph where tinyhil compiles it itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness import frontends
from harness.errors import GraphError, ModelFileError, UnsupportedModelError
from harness.ethosu.payload import CUSTOM_CODE
from harness.files.reading import TooLargeError, read_regular
from harness.frontends.tflite.schema import FileOperator, FileSubgraph, read_model
from harness.ir.graph import Graph

SUFFIX = ".tflite"
MOST_BYTES = 64 << 20
"""Of a model file."""

_NUMBERS = ("int8", "int16", "uint8", "int32")


@dataclass(frozen=True, eq=False)
class NpuSubject:
    """A model.

    Attributes:
        path: its file.
        data: the file's bytes.
        subgraph: its first subgraph as the file has it.
        graph: the same for tinyhil's own compiler and the oracles; None where tinyhil does not read all of it.
        unread: why there is no graph; "" where there is one.
    """

    path: Path
    data: bytes
    subgraph: FileSubgraph
    graph: Graph | None
    unread: str

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def compiled(self) -> bool:
        """Whether Vela has been at it already."""
        return any(operator.custom == CUSTOM_CODE for operator in self.subgraph.operators)

    @property
    def is_float(self) -> bool:
        """Whether no operator computes with integers, so that the NPU has nothing to do."""
        return not any(self.type_of(operator) in _NUMBERS for operator in self.subgraph.operators)

    def type_of(self, operator: FileOperator) -> str:
        """Element type of an operator's first output; "" without one."""
        return self.subgraph.tensors[operator.outputs[0]].type if operator.outputs else ""

    def output_of(self, operator: FileOperator) -> str:
        """Name of an operator's first output; "" without one."""
        return self.subgraph.tensors[operator.outputs[0]].name if operator.outputs else ""


def read_subject(path: Path) -> NpuSubject:
    """The model of a file.

    Raises:
        ModelFileError: it is missing, not a .tflite file, damaged or too large.
    """
    unreadable = frontends.unreadable(path)
    if unreadable is not None:
        raise unreadable
    if path.suffix.lower() != SUFFIX:
        raise ModelFileError(f"{path}: Vela compiles {SUFFIX} files", hint="convert the model with TensorFlow Lite")
    data = _read(path)
    subgraphs = read_model(data, str(path))
    graph, unread = None, ""
    try:
        graph = frontends.load(path)
    except (UnsupportedModelError, GraphError) as error:
        unread = error.message
    return NpuSubject(path, data, subgraphs[0], graph, unread)


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_BYTES)
    except TooLargeError as error:
        hint = "give a model that is meant for a microcontroller"
        raise ModelFileError(f"{path}: {error.strerror}, which is more than tinyhil reads", hint=hint) from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}", hint="check the path and its permissions") from None
