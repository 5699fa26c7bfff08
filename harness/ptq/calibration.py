"""The data of a quantization: what ranges are found on, and what is kept back to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.errors import VectorsError
from harness.ir.graph import Graph
from harness.quantization.types import Array
from harness.validate import vectors
from harness.validate.card import FileVectors
from harness.validate.vectors import Vectors

RANDOM = "random"
"""In place of a file: noise, for who has no data."""

RANDOM_MARK = "RANGES FROM RANDOM NOISE, NOT FROM DATA: its accuracy on real inputs is unknown, and may be bad"
RANDOM_COUNT = 64
MOST_FITTED = 512
"""Vectors that ranges and weights are found on: more take longer and change nothing that counts."""
MOST_HELD = 512
MOST_BYTES = 384 << 20
"""Of all activations of the float network over the vectors of a part, which are in memory at once."""

_HELD_EVERY = 4
_LEAST = 8
"""Vectors from which on some are kept back."""
_FEWEST = 4
"""Vectors that are used however large the network is."""


@dataclass(frozen=True, eq=False)
class DataPart:
    """Some of the vectors.

    Attributes:
        inputs: stacks: [vectors, *shape] of each input of the model.
        labels: of each vector; None without.
    """

    inputs: tuple[Array, ...]
    labels: npt.NDArray[np.int64] | None

    def __len__(self) -> int:
        return len(self.inputs[0])


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Data of a quantization.

    Attributes:
        name: of the file, or what else it is.
        sha256: of all inputs, hexadecimal.
        fitted: what ranges, weights and biases are found on.
        held: what schemes are judged by; the same vectors where there are too few to keep some back.
        is_random: noise instead of data.
    """

    name: str
    sha256: str
    fitted: DataPart
    held: DataPart
    is_random: bool

    @property
    def origin(self) -> str:
        """What ranges come from, for the file that is written."""
        return RANDOM_MARK if self.is_random else f"ranges from {len(self.fitted)} vectors of {self.name}"

    @property
    def holds_back(self) -> bool:
        """Whether schemes are judged by vectors that nothing was found on."""
        return self.held is not self.fitted


def calibration_from(path: Path, graph: Graph, count: int | None = None) -> CalibrationData:
    """The vectors of a file (.npz, or .wav), every fourth of them kept back.

    Raises:
        VectorsError: it is missing, damaged or does not fit the inputs of `graph`.
    """
    given = vectors.load(FileVectors(file=path.name, count=count), graph, path.parent)
    return calibration_of(given, graph)


def random_calibration(graph: Graph, seed: int = 0) -> CalibrationData:
    """Noise between -1 and 1: ranges from it are not those of real data."""
    rng = np.random.default_rng(seed)
    rows = [
        [rng.uniform(-1, 1, graph.tensors[t].shape).astype(graph.tensors[t].dtype.numpy) for t in graph.inputs]
        for _ in range(RANDOM_COUNT)
    ]
    given = vectors.from_arrays(rows, graph, f"random {RANDOM_COUNT}, seed {seed}")
    return calibration_of(given, graph, is_random=True)


def calibration_of(given: Vectors, graph: Graph, *, is_random: bool = False) -> CalibrationData:
    """These vectors, every fourth of them kept back, or of a sequence the last quarter.

    Raises:
        VectorsError: there are none, or some are no finite numbers.
    """
    if not given.inputs or not given.inputs[0]:
        raise VectorsError(f"{given.name}: no inputs", hint="a model without inputs has nothing to quantize")
    if not all(np.isfinite(array).all() for row in given.inputs for array in row if array.dtype.kind == "f"):
        raise VectorsError(f"{given.name}: NaN or infinity among the inputs", hint="give finite values")
    count = len(given)
    each = sum(tensor.bytes for tensor in graph.tensors if tensor.data is None)
    most = max(MOST_BYTES // max(each, 1), _FEWEST)
    held = _kept_back(count, graph)
    if count < _LEAST:
        whole = _part(given, _few(np.arange(count), most, graph))
        return CalibrationData(given.name, given.sha256, whole, whole, is_random)
    return CalibrationData(
        given.name,
        given.sha256,
        _part(given, _few(np.flatnonzero(~held), min(most, MOST_FITTED), graph)),
        _part(given, _few(np.flatnonzero(held), min(most, MOST_HELD), graph)),
        is_random,
    )


def _kept_back(count: int, graph: Graph) -> npt.NDArray[np.bool_]:
    """Which vectors are kept back; of a network with states, for which they are one sequence, those at its end."""
    held = np.zeros(count, np.bool_)
    if graph.states:
        held[count - count // _HELD_EVERY :] = True
    else:
        held[_HELD_EVERY - 1 :: _HELD_EVERY] = True
    return held


def _few(indices: npt.NDArray[np.int64], most: int, graph: Graph) -> npt.NDArray[np.int64]:
    """At most so many of the indices, evenly spread; of a sequence its beginning."""
    if graph.states:
        return indices[:most]
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).astype(np.int64)]


def _part(given: Vectors, indices: npt.NDArray[np.int64]) -> DataPart:
    columns = zip(*(given.inputs[i] for i in indices), strict=True)
    labels = None if given.labels is None else cast(npt.NDArray[np.int64], given.labels[indices])
    return DataPart(tuple(np.stack(column) for column in columns), labels)
