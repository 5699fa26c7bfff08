"""Small networks of one layer with enough weights that compressing them pays."""

from __future__ import annotations

import numpy as np

from harness.ir.activations import activation_clamp
from harness.ir.graph import Graph
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, same_pads
from harness.quantization.types import Array, DType, Quantization
from tests.support.draft import Draft, Rng

KINDS = ("fully connected", "pointwise", "window", "grouped")


def weighted(rng: Rng, kind: str, *, per_channel: bool = True, zeros: float = 0.0, floats: bool = False) -> Graph:
    """A layer of a kind of KINDS; `zeros` is the share of weights that are 0."""
    draft = Draft(rng)
    groups = 2 if kind == "grouped" else 1
    taps = {"fully connected": (), "pointwise": (1, 1), "window": (3, 3), "grouped": (3, 3)}[kind]
    depth, channels = int(rng.integers(32, 44)) * groups, int(rng.integers(8, 16)) * groups
    shape = (channels, *taps, depth // groups)
    x = draft.input((1, 5, 4, depth) if taps else (1, depth), *((None, DType.FLOAT32) if floats else ()))
    data = rng.normal(0, 40, shape)
    data[rng.random(shape) < zeros] = 0
    if floats:
        weights = draft.constant((data / 40).astype(np.float32), None)
        bias = draft.constant(rng.normal(0, 1, channels).astype(np.float32), None)
        y = draft.tensor((1, 5, 4, channels) if taps else (1, channels), None, DType.FLOAT32)
    else:
        data = np.clip(np.round(data), -127, 127)
        scales = rng.uniform(0.005, 0.02, channels if per_channel else 1).astype(np.float32)
        weights = draft.constant(data.astype(np.int8), _quant(scales, per_channel))
        products = (scales.astype(np.float64) * np.float32(draft.quant(x).scale)).astype(np.float32)
        bias = draft.constant(rng.integers(-500, 500, channels).astype(np.int32), _quant(products, per_channel))
        out = Quantization((float(np.float32(draft.quant(x).scale * 30)),), (int(rng.integers(-20, 20)),))
        y = draft.tensor((1, 5, 4, channels) if taps else (1, channels), out)
    clamp = activation_clamp("NONE", draft.tensors[y])
    if taps:
        attrs = ConvAttrs((1, 1), (1, 1), same_pads((5, 4), taps, (1, 1), (1, 1)), clamp)
        draft.node("CONV_2D", (x, weights, bias), (y,), attrs)
    else:
        draft.node("FULLY_CONNECTED", (x, weights, bias), (y,), FullyConnectedAttrs(clamp))
    return draft.finish(kind.replace(" ", "_"), (y,))


def _quant(scales: Array, per_channel: bool) -> Quantization:
    return Quantization(tuple(float(s) for s in scales), (0,) * len(scales), 0 if per_channel else None)
