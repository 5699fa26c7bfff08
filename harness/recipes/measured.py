"""What taking something away would cost a network, measured: its loss on pictures, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.recipes.surgery import ChannelGroup
from harness.training.data import TrainingData
from harness.training.loop import to_torch
from harness.training.network import TorchNetwork
from harness.training.torch_extra import functional, torch

PICTURES = 256
"""Of the training part, on which losses are measured: what is held back decides nothing that is trained on."""


def loss(network: TorchNetwork, data: TrainingData, count: int = PICTURES) -> float:
    """Mean cross entropy over the first pictures of the training part."""
    with torch.no_grad():
        return _entropy(network.values(to_torch(data.train_x[:count])), data)


def _entropy(values: dict[int, Any], data: TrainingData) -> float:
    made = values[max(values)]
    return float(functional.cross_entropy(made, torch.from_numpy(data.train_y[: len(made)])))


def by_loss(network: TorchNetwork, data: TrainingData, group: ChannelGroup) -> npt.NDArray[np.float64]:
    """How much the loss rises when a channel of a group is 0 everywhere, for each of them."""
    found = []
    with torch.no_grad():
        values = network.values(to_torch(data.train_x[:PICTURES]))
        before = _entropy(values, data)
        for channel in range(group.size):
            with masked(network, group, [channel]):
                found.append(_entropy(network.continued(values, min(group.members)), data) - before)
    return np.asarray(found)


def by_scale(network: TorchNetwork, group: ChannelGroup) -> npt.NDArray[np.float64]:
    """The product of the channel's factors in all batch norms of a group, each relative to its mean; without any
    the size of the weights that make it.
    """
    layers = [network.spec.layers[number] for number in group.members]
    norms = [network.part(layer).weight.detach().abs() for layer in layers if layer.kind == "norm"]
    if not norms:
        made = [network.part(layer).weight.detach().flatten(1).norm(dim=1) for layer in layers if layer.mixes]
        norms = [sum(made[1:], start=made[0])]
    found = np.ones(group.size)
    for one in norms:
        found *= (one / one.mean().clamp_min(1e-12)).numpy()
    return found


@contextmanager
def masked(network: TorchNetwork, group: ChannelGroup, channels: Sequence[int]) -> Iterator[None]:
    """Some channels of a group are 0 in the block, which gives what the network without them gives."""
    names = {network.spec.layers[number].name for number in group.members}
    mask = torch.ones(group.size)
    mask[list(channels)] = 0

    def cut(name: str, values: Any) -> Any:
        return values * mask.reshape(1, -1, *[1] * (values.ndim - 2)) if name in names else values

    before, network.observe = network.observe, cut
    try:
        yield
    finally:
        network.observe = before
