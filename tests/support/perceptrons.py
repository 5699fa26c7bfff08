"""Perceptrons whose weights are worth a copy."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from tests.bench.cost_layers import usual_input, usual_output, usual_weights
from tests.support.draft import Draft


def perceptron(seed: int, layers: int = 3) -> Graph:
    """Fully connected layers of random sizes, from those whose weights are not copied to those of several parts."""
    rng = np.random.default_rng(seed)
    draft = Draft(rng)
    sizes = [int(rng.integers(5, 160)) for _ in range(layers + 1)]
    x = usual_input(draft, (1, sizes[0]))
    for depth, channels in zip(sizes, sizes[1:], strict=False):
        w, b, spread = usual_weights(draft, (channels, depth), 0, depth)
        y, clamp = usual_output(draft, (1, channels), spread)
        draft.node("FULLY_CONNECTED", (x, w, b), (y,), FullyConnectedAttrs(clamp))
        x = y
    return draft.finish("perceptron", (x,))
