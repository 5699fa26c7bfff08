"""Metrics between expected and measured outputs, as the validation report of ST Edge AI Core names them.

Throughout, r are the reference's values and v the board's: real numbers of equal shape, read as one flat list.
e = r - v is the error, n their number. Quantized outputs are turned into real numbers first: scale * (q - zero_point).
Formulas after the list in "Evaluation report and metrics" of the ST Edge AI Core documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Graph, Tensor
from harness.quantization.types import Array, DType

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metrics:
    """Agreement of an output over all vectors.

    Attributes:
        acc: share of vectors that both put into the same class (see `accuracy`); None where there are no classes.
        rmse: root mean square error, sqrt(sum(e^2) / n).
        mae: mean absolute error, sum(|e|) / n.
        l2r: L2 relative error, sqrt(sum(e^2)) / sqrt(sum(r^2)); 0 when both are 0, infinite when only r is.
        mean: arithmetic mean of the error, sum(e) / n.
        std: standard deviation of the error, sqrt(sum((e - mean)^2) / n).
        nse: Nash-Sutcliffe efficiency, 1 - sum(e^2) / sum((r - sum(r) / n)^2); 1 is perfect. 1 for equal constants,
            minus infinite for a constant reference that is missed.
        cos: cosine similarity, sum(r * v) / (sqrt(sum(r^2)) * sqrt(sum(v^2))); 1 when both are 0, 0 when one is.
    """

    acc: float | None
    rmse: float
    mae: float
    l2r: float
    mean: float
    std: float
    nse: float
    cos: float

    def as_dict(self) -> dict[str, float | None]:
        """The metrics by name."""
        return asdict(self)


def metrics(reference: Reals, values: Reals, *, classes: bool) -> Metrics:
    """All metrics of [vectors, ...] arrays; `classes` says that the output is a classifier's."""
    acc = None
    if classes:
        acc = accuracy(classify(values), classify(reference))
    r, v = reference.ravel(), values.ravel()
    e = r - v
    squares = float(np.sum(e * e))
    norm_r, norm_v = float(np.linalg.norm(r)), float(np.linalg.norm(v))
    spread = float(np.sum((r - r.mean()) ** 2))
    return Metrics(
        acc=acc,
        rmse=float(np.sqrt(squares / e.size)),
        mae=float(np.mean(np.abs(e))),
        l2r=_ratio(float(np.sqrt(squares)), norm_r),
        mean=float(np.mean(e)),
        std=float(np.std(e)),
        nse=1.0 - _ratio(squares, spread),
        cos=_cosine(float(np.dot(r, v)), norm_r, norm_v),
    )


def _ratio(above: float, below: float) -> float:
    if below == 0.0:
        return 0.0 if above == 0.0 else float("inf")
    return above / below


def _cosine(dot: float, norm_r: float, norm_v: float) -> float:
    if norm_r == 0.0 or norm_v == 0.0:
        return 1.0 if norm_r == norm_v else 0.0
    return dot / (norm_r * norm_v)


def classify(values: Reals) -> npt.NDArray[np.int64]:
    """The class of each vector: the first highest of several values; for a single one, whether it is above one half."""
    flat = values.reshape(len(values), -1)
    if flat.shape[1] == 1:
        return (flat[:, 0] > 0.5).astype(np.int64)
    best: npt.NDArray[np.int64] = np.argmax(flat, axis=1).astype(np.int64)
    return best


def accuracy(predicted: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> float:
    """Share of vectors whose predicted class is the right one."""
    return float(np.mean(predicted == right))


def confusion(predicted: npt.NDArray[np.int64], right: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """Confusion matrix: rows are the right classes, columns the predicted ones, entries numbers of vectors."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (right, predicted), 1)
    return [[int(entry) for entry in row] for row in matrix]


def class_count(tensor: Tensor) -> int:
    """Number of classes of an output: its elements, or 2 for a single value."""
    return max(tensor.elements, 2)


def is_classifier(graph: Graph, output: int) -> bool:
    """Whether an output tensor holds class scores: it comes from SOFTMAX or LOGISTIC, maybe requantized or reshaped."""
    producers = graph.producers()
    tensor = output
    while tensor in producers:
        node = graph.nodes[producers[tensor]]
        if node.op in ("SOFTMAX", "LOGISTIC"):
            return True
        if node.op not in ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
            return False
        tensor = node.inputs[0]
    return False


def dequantize(arrays: Sequence[Array], tensor: Tensor) -> Reals:
    """[vectors, *shape] of real numbers from quantized or float arrays."""
    stacked = np.stack([np.asarray(a) for a in arrays]).astype(np.float64)
    if tensor.dtype is DType.FLOAT32 or tensor.quant is None:
        return stacked
    return tensor.q.scale * (stacked - tensor.q.zero_point)
