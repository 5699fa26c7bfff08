"""How well a model does its task, beyond classes: from its first output and the truth that the vectors have.

The area under the ROC curve needs labels, 0 and 1; the others need targets, what the first output should be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.quantization.types import Array
from harness.validate.classification import Reals


def is_score(output: int, source: int) -> bool:
    """Whether an output of so many values, of an input of so many, says one score: see scores_of."""
    return output in (1, 2, source)


def scores_of(outputs: Reals, inputs: Reals) -> Reals:
    """[vectors] how much of class 1 each is: the single value of its output, the second of two, or, where the output
    has more (an autoencoder), the mean squared error between input and output.
    """
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] <= 2:
        return flat[:, -1]
    scores: Reals = np.mean((flat - inputs.reshape(flat.shape)) ** 2, axis=1)
    return scores


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
    return float(np.sqrt(np.mean((outputs.reshape(len(outputs), -1) - targets.reshape(len(targets), -1)) ** 2)))


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
