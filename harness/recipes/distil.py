"""The step `distil`: a narrower network of the same layers learns what the one before it answers."""

from __future__ import annotations

import numpy as np

from harness.recipes.entries import DistilEntry
from harness.recipes.measured import by_loss
from harness.recipes.surgery import groups_of, scaled, without
from harness.recipes.workshop import Workshop
from harness.training.loop import seeded
from harness.training.network import TorchNetwork
from harness.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=6, learning_rate=0.1, teacher_weight=0.7)


def distil(network: TorchNetwork, entry: DistilEntry, shop: Workshop) -> TorchNetwork:
    """A student of a network, which stays as it is."""

    def make() -> TorchNetwork:
        student = student_of(network, entry, shop)
        return shop.trained("student", student, entry.train.plan(PLAN), teacher=network)

    return shop.kept("student", make)


def student_of(network: TorchNetwork, entry: DistilEntry, shop: Workshop) -> TorchNetwork:
    """The student before it learns."""
    spec = scaled(network.spec, entry.width, entry.multiple)
    if entry.start == "new":
        seeded(shop.seed, shop.threads)
        return TorchNetwork(spec)
    sizes = [group.size for group in groups_of(spec)]
    missed = [by_loss(network, shop.data, group) for group in groups_of(network.spec)]
    for number, (size, worth) in enumerate(zip(sizes, missed, strict=True)):
        keep = np.argsort(-worth, kind="stable")[:size]
        network = without(network, groups_of(network.spec)[number], keep.tolist())
    return network
