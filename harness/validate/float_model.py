"""The float model that a card names: its accuracy over the same labelled vectors, computed by LiteRT on the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import CardError, ModelFileError, OracleError, OracleMissingError
from harness.files.reading import read_regular
from harness.quantization.types import Array
from harness.validate import classification, vectors
from harness.validate.reference import MEMORY_LIMIT, TIME_LIMIT_S

if TYPE_CHECKING:
    from harness.ir.graph import Graph
    from harness.validate.card import Card
    from harness.validate.vectors import Vectors

_ORACLE = "litert"
_MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class FloatModel:
    """The float model of a card.

    Attributes:
        file: its path.
        sha256: of the file, hexadecimal.
        accuracy: share of labelled vectors that it classifies correctly, 0 to 1; None where LiteRT cannot compute it.
        oracle: what computed it, with its version; where nothing did, why.
    """

    file: str
    sha256: str
    accuracy: float | None
    oracle: str


def measure_float_model(card: Card, graph: Graph, given: Vectors) -> FloatModel | None:
    """The float model of a card with its accuracy over the labelled vectors `given`; None where the card names none.

    Real numbers of a vectors file are taken as they were recorded, before quantization.

    Raises:
        CardError: the file cannot be used: it is missing, no .tflite, or has other inputs or outputs than the model.
        VectorsError: the vectors file cannot be read any more.
    """
    if card.float_model is None or given.labels is None:
        return None
    import hashlib

    path = card.base / card.float_model.file
    data = _read(path)
    shapes = _input_shapes(path, data, graph)
    digest = hashlib.sha256(data).hexdigest()
    rows = vectors.real_inputs(card.vectors, graph, card.base, given)
    try:
        outputs, oracle = _outputs(data, shapes, rows)
    except (OracleError, OracleMissingError) as error:
        return FloatModel(str(path), digest, None, error.message)
    classes = classification.class_count(graph.tensors[graph.outputs[0]])
    if outputs[0].size != graph.tensors[graph.outputs[0]].elements:
        raise CardError(
            f"{card.path}: float_model: {path} has {outputs[0].size} outputs, the model {classes} classes",
            hint="name the float model that the int8 model was quantized from",
        )
    predicted = classification.classify(np.stack([np.asarray(y, np.float64) for y in outputs]))
    accuracy = classification.accuracy(predicted, given.labels.astype(np.int64))
    return FloatModel(str(path), digest, accuracy, oracle)


def _outputs(
    data: bytes, shapes: Sequence[tuple[int, ...]], rows: Iterator[Sequence[Array]]
) -> tuple[list[Array], str]:
    """(the first output for every vector, what computed them)."""
    from harness.oracle import open_file

    interpreter = open_file(_ORACLE, data, time_limit_s=TIME_LIMIT_S, memory_limit=MEMORY_LIMIT)
    try:
        outputs = []
        for row in rows:
            shaped = [np.ascontiguousarray(x.reshape(s), np.float32) for x, s in zip(row, shapes, strict=True)]
            outputs.append(interpreter.invoke(shaped, ())[0][0])
        return outputs, f"{_ORACLE} {interpreter.version}"
    finally:
        interpreter.close()


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, _MAX_BYTES)
    except OSError as error:
        raise CardError(
            f"{path}: float_model: {error.strerror or error}",
            hint="correct the path; paths in a card start from the card's folder",
        ) from error


def _input_shapes(path: Path, data: bytes, graph: Graph) -> list[tuple[int, ...]]:
    """The shapes of the float model's inputs; checks that they are float32 and as many elements as the int8 model's."""
    from harness.frontends.tflite.schema import read_model

    try:
        main = read_model(data, str(path))[0]
    except ModelFileError as error:
        raise CardError(f"float_model: {error.message}", hint=error.hint) from error
    inputs = [main.tensors[t] for t in main.inputs]
    wanted = [graph.tensors[t] for t in graph.inputs]
    fits = len(inputs) == len(wanted) and all(
        x.type == "float32" and prod(x.shape) == y.elements for x, y in zip(inputs, wanted, strict=False)
    )
    if not fits:
        found = ", ".join(f"{x.type} {list(x.shape)}" for x in inputs)
        own = ", ".join(f"{list(y.shape)}" for y in wanted)
        raise CardError(
            f"{path}: float_model: its inputs are {found}; the model's are {own}",
            hint="name the float32 .tflite that the int8 model was quantized from",
        )
    return [x.shape for x in inputs]
