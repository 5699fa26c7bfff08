"""Agreement of predicted classes."""

from __future__ import annotations

from harness.validate.classification import accuracy, classify
from harness.validate.metrics.pair import OutputPair


def acc(pair: OutputPair) -> float | None:
    """Share of vectors for which board and reference predict the same class; None for an output without classes."""
    return accuracy(classify(pair.board), classify(pair.reference)) if pair.classes else None
