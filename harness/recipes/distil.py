"""The step `distil`: a narrower network of the same layers learns what the one before it answers."""

from __future__ import annotations

from harness.recipes.entries import DistilEntry, PruneEntry
from harness.recipes.prune import pruned
from harness.recipes.surgery import scaled
from harness.recipes.workshop import Workshop
from harness.training.loop import seeded
from harness.training.network import Network
from harness.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=6, learning_rate=0.1, teacher_weight=0.7)


def distil(network: Network, entry: DistilEntry, shop: Workshop) -> Network:
    """A student of a network, which stays as it is."""

    def make() -> Network:
        student = _student(network, entry, shop)
        return shop.trained("student", student, entry.train.plan(PLAN), teacher=network)

    return shop.kept("student", make)


def _student(network: Network, entry: DistilEntry, shop: Workshop) -> Network:
    if entry.start == "teacher":
        limit = shop.cost(network).cycles * entry.cycles
        return pruned(network, PruneEntry(multiple=entry.multiple), shop, limit)
    seeded(shop.seed, shop.threads)
    return Network(scaled(network.spec, entry.width, entry.multiple))
