"""Agreement in classes."""

from __future__ import annotations

from harness.validate.classification import accuracy, classify
from harness.validate.metrics.pair import OutputPair


def acc(pair: OutputPair) -> float | None:
    """Share of vectors that both put into the same class; None where there are no classes."""
    return accuracy(classify(pair.board), classify(pair.reference)) if pair.classes else None
