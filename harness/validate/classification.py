"""Classification: outputs as real numbers and classes, accuracy and confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Graph, Tensor
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array, DType

Reals = npt.NDArray[np.float64]


def classify(values: Reals) -> npt.NDArray[np.int64]:
    """The class of each vector: index of the first maximum; for a single value whether it exceeds one half."""
    flat = values.reshape(len(values), -1)
    if flat.shape[1] == 1:
        return (flat[:, 0] > 0.5).astype(np.int64)
    best: npt.NDArray[np.int64] = np.argmax(flat, axis=1).astype(np.int64)
    return best


def accuracy(predicted: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> float:
    """Share of vectors whose predicted class is the label, 0 to 1."""
    return float(np.mean(predicted == right))


def confusion(predicted: npt.NDArray[np.int64], right: npt.NDArray[np.int64], classes: int) -> list[list[int]]:
    """Confusion matrix: numbers of vectors by label (rows) and predicted class (columns)."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (right, predicted), 1)
    return [[int(entry) for entry in row] for row in matrix]


def class_count(tensor: Tensor) -> int:
    """Number of classes of an output: its elements, or 2 for a single value."""
    return max(tensor.elements, 2)


def is_classifier(graph: Graph, output: int) -> bool:
    """Whether an output tensor has probabilities of classes, perhaps requantized or reshaped."""
    producers = graph.producers()
    tensor = output
    while tensor in producers:
        node = graph.nodes[producers[tensor]]
        if has(node, Trait.PROBABILITIES):
            return True
        if not has(node, Trait.SAME_VALUES):
            return False
        tensor = node.inputs[0]
    return False


def dequantize(arrays: Sequence[Array], tensor: Tensor) -> Reals:
    """[vectors, *shape] of real numbers from quantized or float arrays."""
    stacked = np.stack([np.asarray(a) for a in arrays]).astype(np.float64)
    if tensor.dtype is DType.FLOAT32 or tensor.quant is None:
        return stacked
    return tensor.q.scale * (stacked - tensor.q.zero_point)
