"""Layers whose sums stand beside rounding boundaries.

Random sums almost never tell one multiplier from its neighbours: two that differ by 2**-25 agree on all but one sum
in a million. Here biases are the sums (weights are 0), and stand right beside the values where the output steps.
"""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.quantization.types import Quantization
from tests.support.draft import Draft, Rng, log_uniform

LAYERS = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")

CLAMP = (-128, 127)
"""No fused activation."""


def boundary_layer(rng: Rng, op: str, per_channel: bool) -> Graph:
    """One layer, one sum a channel, whose scales bring sums of up to 31 bits into the output's range."""
    draft = Draft(rng)
    x_scale, w_scale = log_uniform(rng, 2**-8, 2**-3), log_uniform(rng, 2**-8, 2**-3)
    y_scale = float(np.float32(x_scale * w_scale * 2.0 ** rng.uniform(6, 23)))
    centre = (np.arange(-127, 127) + 0.5) * (y_scale / (x_scale * w_scale))
    sums = (np.round(centre)[:, None] + np.arange(-2, 3)).ravel().astype(np.int32)
    count = len(sums)
    repeats, axis = (count, 3 if op == "DEPTHWISE_CONV_2D" else 0) if per_channel else (1, 0)
    w_shape = {"FULLY_CONNECTED": (count, 1), "CONV_2D": (count, 1, 1, 1), "DEPTHWISE_CONV_2D": (1, 1, 1, count)}[op]
    x_shape = (1, 1) if op == "FULLY_CONNECTED" else (1, 1, 1, 1)
    x = draft.input(x_shape, Quantization((x_scale,), (0,)))
    quants = [
        Quantization((scale,) * repeats, (0,) * repeats, channel_axis if per_channel else None)
        for scale, channel_axis in ((w_scale, axis), (float(np.float32(x_scale * w_scale)), 0))
    ]
    w = draft.constant(np.zeros(w_shape, np.int8), quants[0])
    b = draft.constant(sums, quants[1])
    y = draft.tensor((*x_shape[:-1], count), Quantization((y_scale,), (0,)))
    dense = FullyConnectedAttrs(CLAMP)
    attrs = dense if op == "FULLY_CONNECTED" else ConvAttrs((1, 1), (1, 1), Pads(), CLAMP)
    draft.node(op, (x, w, b), (y,), attrs)
    return draft.finish(op.lower(), (y,))
