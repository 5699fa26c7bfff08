"""How a network is trained; without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained, by stochastic gradient descent with Nesterov's momentum.

    Attributes:
        epochs: how often each picture is seen.
        batch: pictures of a step.
        learning_rate: the highest.
        momentum, weight_decay: of the optimizer.
        schedule: of the learning rate: rises and falls, falls along a cosine, or stays.
        seed: of the order of the pictures, and of what the module draws.
        threads: of torch; another number may give other roundings.
        teacher_temperature: by which the teacher's and the network's outputs are divided.
        teacher_weight: share of the loss that is the distance from the teacher, 0 to 1.
    """

    epochs: int = 3
    batch: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    seed: int = 0
    threads: int = 1
    teacher_temperature: float = 4.0
    teacher_weight: float = 0.0
