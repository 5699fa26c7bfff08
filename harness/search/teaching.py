"""Networks that were trained teach one: what several think of each picture on average, beside its class.

Source: Hinton et al. 2015, "Distilling the knowledge in a neural network", sections 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.search.modules import Alone
from harness.search.pictures import resized
from harness.training.data import TrainingData
from harness.training.loop import Loss, distance, outputs, store, stored
from harness.training.torch_extra import functional, torch

TEMPERATURE, WEIGHT = 2.0, 0.8
"""By which outputs are divided, and the share of the loss that is the distance from the teachers."""


def write_lessons(path: Path, teachers: Iterable[Alone], data: TrainingData) -> None:
    """Writes float32[pictures, classes] over the training part: the mean of the teachers' log probabilities.

    Args:
        path: the file; one that is there is left.
        teachers: networks that were trained.
        data: its training part is taught.

    Raises:
        ResultsError: it cannot be written.
    """
    if path.exists():
        return
    found = []
    for teacher in teachers:
        x = resized(data, *teacher.net.size[:2]).train_x
        found.append(functional.log_softmax(torch.from_numpy(outputs(teacher, x)), 1).numpy())
    store(path, torch.from_numpy(np.mean(found, axis=0, dtype=np.float32)))


def numbered(data: TrainingData) -> TrainingData:
    """With the numbers of the training part's pictures for their labels, as `taught_loss` takes them."""
    return replace(data, train_y=np.arange(len(data.train_y)))


def taught_loss(data: TrainingData, lessons: Path) -> Loss:
    """Of what a network says of numbered pictures: by their labels and by what `write_lessons` wrote.

    Raises:
        ResultsError: that is damaged.
    """
    labels, teachers = torch.from_numpy(data.train_y), stored(lessons)

    def loss(module: Any, x: Any, numbers: Any) -> Any:
        made = module(x)
        wrong = functional.cross_entropy(made, labels[numbers])
        return (1 - WEIGHT) * wrong + WEIGHT * distance(made, teachers[numbers], TEMPERATURE)

    return loss
