"""Trainings of many architectures, in processes of their own; what each gives is a matter of its seed alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from harness.search.architecture import Architecture
from harness.search.modules import Alone
from harness.search.pictures import resized
from harness.search.teaching import numbered, taught_loss
from harness.training.data import TrainingData
from harness.training.loop import seeded, stored, train
from harness.training.plan import TrainingPlan
from harness.training.torch_extra import torch

UNSEEN = 12_000
"""Pictures of the training part that a training of fewer is scored on as well, at most."""


@dataclass(frozen=True)
class Task:
    """One training.

    Attributes:
        net: what is trained.
        plan: how.
        train: pictures of the training part; None: all.
        checkpoint: file to go on from.
        lessons: what teachers say of all pictures of the training part, of `write_lessons`; None: without.
    """

    net: Architecture
    plan: TrainingPlan
    train: int | None
    checkpoint: Path
    lessons: Path | None = None


def made(net: Architecture, seed: int) -> Alone:
    """A new module with weights drawn by a seed; channels last, which is a quarter faster on CPUs."""
    seeded(seed)
    module = Alone(net)
    module.to(memory_format=torch.channels_last)
    return module


def trained(task: Task, data: TrainingData) -> tuple[Alone, float]:
    """The module of a task, and how right it is over what is held back and what it was not trained on."""
    module = made(task.net, task.plan.seed)
    pictures = resized(_scored(data, task.train), *task.net.size[:2]).few(task.train)
    if task.lessons is None:
        done = train(module, pictures, task.plan, checkpoint=task.checkpoint)
    else:
        loss = taught_loss(pictures, task.lessons)
        done = train(module, numbered(pictures), task.plan, checkpoint=task.checkpoint, loss_of=loss)
    return module, done.held_accuracy


def loaded(net: Architecture, checkpoint: Path) -> Alone:
    """A module that was trained."""
    module = Alone(net)
    module.load_state_dict(stored(checkpoint)["module"])
    return module.eval()  # type: ignore[no-any-return]


def _scored(data: TrainingData, count: int | None) -> TrainingData:
    """With pictures that are not trained on in the part held back: the more of them tell, the less is chance."""
    if count is None:
        return data
    x, y = data.train_x[count : count + UNSEEN], data.train_y[count : count + UNSEEN]
    held = np.concatenate([data.held_x, x]), np.concatenate([data.held_y, y])
    return replace(data.few(count, test=0), held_x=held[0], held_y=held[1])


_data: TrainingData | None = None


def _begin(data: TrainingData) -> None:
    global _data
    _data = data


def _accuracy(task: Task) -> float:
    assert _data is not None
    return trained(task, _data)[1]


def accuracies(tasks: Sequence[Task], data: TrainingData, jobs: int) -> Iterator[float]:
    """What each task reaches on the pictures that are held back, in order, as soon as it is there."""
    if jobs < 2 or len(tasks) < 2:
        for task in tasks:
            yield trained(task, data)[1]
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin, (data,)) as pool:
        yield from pool.map(_accuracy, tasks)
