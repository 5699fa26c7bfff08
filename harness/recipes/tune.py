"""The step `tune`: more training, by default with the first network as the teacher."""

from __future__ import annotations

from harness.recipes.entries import TuneEntry
from harness.recipes.workshop import Workshop
from harness.training.network import TorchNetwork
from harness.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=2, learning_rate=0.03, schedule="cosine", teacher_weight=0.7)


def tune(network: TorchNetwork, entry: TuneEntry, shop: Workshop) -> TorchNetwork:
    """The same network with other weights."""
    return shop.kept("tuned", lambda: shop.trained("tuned", network.clone(), entry.train.plan(PLAN)))
