"""The step `distil`: a narrower network of the same layers learns what the one before it answers."""

from __future__ import annotations

from harness.recipes.entries import DistilEntry, PruneEntry
from harness.recipes.prune import pruned
from harness.recipes.surgery import scaled
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
    if entry.start == "teacher":
        limit = shop.cost(network).cycles * entry.cycles
        return pruned(network, PruneEntry(multiple=entry.multiple), shop, limit)
    seeded(shop.seed, shop.threads)
    return TorchNetwork(scaled(network.spec, entry.width, entry.multiple))
