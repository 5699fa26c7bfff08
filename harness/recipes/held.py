"""Shares of cycles that are kept to: what fine-tuning left is measured, and cut further where it takes more."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import RecipeError
from harness.recipes.workshop import Workshop
from harness.training.network import TorchNetwork

AGAIN = 3
"""Most times that a network is cut further."""

Further = Callable[[TorchNetwork, float, int], TorchNetwork]
"""Of a network, the share of its cycles that may be left and the number of the attempt: one cut further, and tuned."""


def held(step: str, network: TorchNetwork, wanted: float, shop: Workshop, further: Further) -> TorchNetwork:
    """The network, or what is left of it, that takes at most `wanted` cycles in int8 with the weights that it has.

    With other weights than those by which it was cut a layer may need another kernel, or lose channels that were
    constant.

    Raises:
        RecipeError: it takes more after AGAIN times.
    """
    _, found = shop.measured_cycles(network)
    for again in range(1, AGAIN + 1):
        if found <= wanted:
            break
        shop.said.append(f"{found:,} cycles after fine-tuning, more than {wanted:,.0f}: {step} again")
        network = further(network, wanted / found, again)
        _, found = shop.measured_cycles(network)
    if found > wanted:
        raise RecipeError(
            f"{step}: {found:,} cycles are left after {AGAIN} more rounds, more than {wanted:,.0f}",
            hint="a smaller share, or a training with a smaller learning rate",
        )
    return network
