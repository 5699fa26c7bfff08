"""The step `prune`: takes out the channels that are missed least for their cycles, in rounds of fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

import numpy as np
import numpy.typing as npt

from harness.errors import RecipeError
from harness.recipes.entries import PruneEntry
from harness.recipes.held import held
from harness.recipes.measured import by_loss, by_scale
from harness.recipes.surgery import ChannelGroup, groups_of, without
from harness.recipes.workshop import Workshop
from harness.training.network import TorchNetwork
from harness.training.plan import TrainingPlan

PLAN = TrainingPlan(epochs=1, learning_rate=0.05)

_LEAST_DAMAGE = 1e-6
"""Of a channel: noise of what is measured goes below nothing."""


def prune(network: TorchNetwork, entry: PruneEntry, shop: Workshop) -> TorchNetwork:
    """The network with fewer channels, which takes its share of cycles in int8 with the weights that come out.

    Raises:
        RecipeError: the share of cycles cannot be reached.
    """
    whole = network

    @cache
    def first() -> int:
        return shop.measured_cycles(whole)[0]

    def further(more: TorchNetwork, share: float, again: int) -> TorchNetwork:
        made = pruned(more, entry, shop, share * shop.cost(more).cycles)
        return shop.trained(f"round-{entry.rounds}-again-{again}", made, entry.train.plan(PLAN))

    for number in range(1, entry.rounds + 1):

        def one(before: TorchNetwork = network, number: int = number) -> TorchNetwork:
            limit = first() * entry.cycles ** (number / entry.rounds)
            made = shop.trained(f"round-{number}", pruned(before, entry, shop, limit), entry.train.plan(PLAN))
            return made if number < entry.rounds else held("prune", made, limit, shop, further)

        network = shop.kept(f"round-{number}", one)
    return network


def pruned(network: TorchNetwork, entry: PruneEntry, shop: Workshop, limit: float) -> TorchNetwork:
    """The network with so few channels that its shape takes at most `limit` cycles, without fine-tuning.

    Raises:
        RecipeError: it takes more with the fewest.
    """
    damage = [_damage(network, group, entry, shop) for group in groups_of(network.spec)]
    before = [len(one) for one in damage]
    worth = dict.fromkeys(range(len(damage)), inf)
    while shop.cost(network).cycles > limit:
        best = _best(network, damage, worth, entry.multiple, shop)
        if best is None:
            least = shop.cost(network).cycles
            raise RecipeError(
                f"prune: {least:,} cycles are left with {entry.multiple} channels everywhere, more than {limit:,.0f}",
                hint="prune less, a smaller multiple, or a network with fewer pixels",
            )
        network, number = best.network, best.group
        damage[number], worth[number] = damage[number][best.keep], inf
    now = [len(one) for one in damage]
    shop.said.append(f"channels {' '.join(f'{a}>{b}' for a, b in zip(before, now, strict=True))} of {len(now)} groups")
    return network


@dataclass(frozen=True)
class _Choice:
    """Channels that could be taken out of one group: what is kept, and cycles saved for the damage."""

    network: TorchNetwork
    group: int
    keep: Sequence[int]
    worth: float


def _damage(network: TorchNetwork, group: ChannelGroup, entry: PruneEntry, shop: Workshop) -> npt.NDArray[np.float64]:
    found = by_loss(network, shop.data, group) if entry.by == "loss" else by_scale(network, group)
    return np.maximum(found, _LEAST_DAMAGE)


def _best(
    network: TorchNetwork,
    damage: Sequence[npt.NDArray[np.float64]],
    worth: dict[int, float],
    multiple: int,
    shop: Workshop,
) -> _Choice | None:
    """What saves most cycles for its damage; None where every group has its fewest channels, or nothing saves any.

    `worth` holds what was found for each group when it was looked at last. That changes little with other groups'
    channels, so the best by it is looked at anew, and taken if it still is the best.
    """
    groups = groups_of(network.spec)
    fresh: dict[int, _Choice] = {}
    while True:
        number = max(worth, key=lambda one: worth[one])
        if worth[number] <= 0:
            return None
        if number in fresh:
            return fresh[number]
        fresh[number] = _cut(network, groups[number], damage[number], multiple, shop, number)
        worth[number] = fresh[number].worth


def _cut(
    network: TorchNetwork,
    group: ChannelGroup,
    damage: npt.NDArray[np.float64],
    multiple: int,
    shop: Workshop,
    number: int,
) -> _Choice:
    """The channels of a group down to the next multiple; worth nothing where there are no fewer."""
    left = (group.size - 1) // multiple * multiple
    if left < multiple:
        return _Choice(network, number, range(group.size), 0.0)
    order = np.argsort(damage, kind="stable")
    gone, keep = order[: group.size - left], sorted(order[group.size - left :].tolist())
    made = without(network, group, keep)
    saved = shop.cost(network).cycles - shop.cost(made).cycles
    return _Choice(made, number, keep, saved / float(damage[gone].sum()))
