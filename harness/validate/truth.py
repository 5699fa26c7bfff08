"""Whether vectors have what a card's checks compare with: labels, targets."""

from __future__ import annotations

import numpy as np

from harness.errors import VectorsError
from harness.ir.graph import Graph
from harness.validate.card import TRUTHS, Card
from harness.validate.tasks import is_score
from harness.validate.vectors import Vectors

_ADD = {
    "labels": "add an integer array `labels`",
    "targets": "add an array `targets`, what the first output should be for each vector,",
}


def labels_are_classes(card: Card) -> bool:
    """Whether labels are the classes of the first output; else its score is held to them alone."""
    return card.checks.auc is None or card.checks.accuracy is not None


def check_truth(card: Card, given: Vectors, graph: Graph) -> None:
    """Checks that the vectors have the labels and targets that the card asks for, and that they fit the first output.

    Raises:
        VectorsError: they have none, or others.
    """
    where = card.path or card.model
    checks = [(name, kind) for name, kind in TRUTHS.items() if getattr(card.checks, name) is not None]
    asked = [(f"checks.{name}", f"the check {name}", kind) for name, kind in checks]
    if card.float_model is not None:
        asked.append(("float_model", "it", "labels"))
    for key, what, kind in asked:
        if getattr(given, kind) is None:
            raise VectorsError(
                f"{where}: {key} needs {kind}, {given.name} has none",
                hint=f"{_ADD[kind]} to the .npz file, or take {what} out of the card",
            )
    output, source = (graph.tensors[ids[0]] for ids in (graph.outputs, graph.inputs))
    if card.checks.auc is not None:
        if set(np.unique(given.labels).tolist()) != {0, 1}:  # type: ignore[arg-type]
            raise VectorsError(
                f"{where}: checks.auc needs labels 0 and 1, both of them",
                hint="1: what the score should find; 0: the rest",
            )
        if not is_score(output.elements, source.elements):
            raise VectorsError(
                f"{where}: checks.auc needs one score a vector, output '{output.name}' has {output.elements} values",
                hint="give a model of one or two outputs, or an autoencoder, whose output has its input's size",
            )
    if card.checks.rmse is not None and given.targets is not None and given.targets[0].size != output.elements:
        raise VectorsError(
            f"{where}: targets of {given.targets[0].size} values, output '{output.name}' has {output.elements}",
            hint="targets are real numbers in the shape of the first output",
        )
    if card.checks.label_error_rate is not None and given.targets is not None:
        whole = np.issubdtype(given.targets.dtype, np.integer)
        if not whole or given.targets.min() < 0 or not given.targets.any():
            raise VectorsError(
                f"{where}: targets that are no labels, or without one", hint="labels are integers from 1; 0 is none"
            )
