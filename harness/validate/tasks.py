"""How well a model does its task, beyond classes: from its first output and the truth that the vectors have.

Areas under a curve need labels, 0 and 1; the others need `target_0`, what the first output should be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.quantization.types import Array
from harness.validate.classification import Reals


def scores_of(outputs: Reals, inputs: Reals | None) -> Reals:
    """[vectors] how much of class 1 each is: the single value of its output, the second of two, or, where the output
    has the input's size (an autoencoder), the mean squared error between both.

    Raises:
        ValueError: the output is none of these.
    """
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] <= 2:
        return flat[:, -1]
    if inputs is None or inputs.size != outputs.size:
        raise ValueError(f"an output of {flat.shape[1]} values is no score")
    return np.mean((flat - inputs.reshape(flat.shape)) ** 2, axis=1)


def auc(scores: Reals, labels: npt.NDArray[np.int64]) -> float:
    """Area under the ROC curve: the chance that a vector of class 1 has a higher score than one of class 0.

    Equal scores count half. Source: J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver
    Operating Characteristic (ROC) Curve", 1982 (the Wilcoxon statistic).
    """
    ones, zeros = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    below = np.searchsorted(zeros, ones, side="left")
    equal = np.searchsorted(zeros, ones, side="right") - below
    return float(np.sum(below + equal / 2) / (len(ones) * len(zeros)))


def rmse(outputs: Reals, targets: Reals) -> float:
    """Root mean square error against the targets, sqrt(sum((y - t)^2) / n)."""
    return float(np.sqrt(np.mean((outputs - targets) ** 2)))


def label_error_rate(outputs: Array, targets: Array) -> float:
    """Label error rate: edit distances between output and target, summed, over the targets' labels; 0 is no label.

    Source: A. Graves and others, "Connectionist Temporal Classification", 2006, section 2.1, of all vectors together.
    """
    pairs = [tuple([int(k) for k in row.ravel() if k] for row in pair) for pair in zip(outputs, targets, strict=True)]
    return sum(edit_distance(found, wanted) for found, wanted in pairs) / sum(len(wanted) for _, wanted in pairs)


def edit_distance(a: list[int], b: list[int]) -> int:
    """Insertions, deletions and substitutions that make one of the other (Levenshtein distance)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row[-1]
