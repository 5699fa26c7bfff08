"""Graphs of one layer with a chosen geometry and everything else random: for tests aimed at one kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, same_pads
from harness.quantization.types import Quantization
from tests.support.builders import BUILDERS
from tests.support.builders.common import fused, window
from tests.support.builders.weights import accumulator, weights
from tests.support.draft import Draft, Few, Rng, between, chance, log_uniform, quantization

Pair = tuple[int, int]


def conv_layer(
    rng: Rng,
    image: tuple[int, int, int, int],
    channels: int,
    kernel: Pair = (1, 1),
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    pads: Pads | None = None,
    depthwise: bool = False,
    relu: bool = False,
    few: Few | None = None,
    groups: int = 1,
) -> Graph:
    """CONV_2D, or DEPTHWISE_CONV_2D, of an NHWC image; padding is SAME, or `pads` through a PAD that a pass merges.

    With `relu` the output's zero point is -128, as a fused RELU has it. `few`: which few values weights have.
    """
    draft = Draft(rng, few=few)
    x = draft.input(image)
    if pads is None:
        pads = same_pads(image[1:3], kernel, stride, dilation)
        padded = (image[1] + pads.top + pads.bottom, image[2] + pads.left + pads.right)
    else:
        x = _pad(draft, x, pads)
        padded, pads = draft.shape(x)[1:3], Pads()
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    size = tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True))
    shape = (1, *kernel, channels) if depthwise else (channels, *kernel, image[3] // groups)
    w, scales = weights(draft, shape, 3 if depthwise else 0)
    taps = kernel[0] * kernel[1] * (1 if depthwise else image[3] // groups)
    b, quant = accumulator(draft, x, channels, taps, scales, w)
    y = draft.tensor((image[0], *size, channels), _often_lowest(rng, quant, relu))
    attrs = ConvAttrs(stride, dilation, pads, fused(rng, draft.tensors[y]))
    op = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return draft.finish("layer", (draft.node(op, (x, w, b), (y,), attrs),))


def fully_connected_layer(
    rng: Rng, rows: int, depth: int, channels: int, relu: bool = False, few: Few | None = None
) -> Graph:
    """FULLY_CONNECTED of (rows, depth); `relu` and `few` as for conv_layer."""
    draft = Draft(rng, few=few)
    x = draft.input((rows, depth))
    w, scales = weights(draft, (channels, depth), 0)
    b, quant = accumulator(draft, x, channels, depth, scales, w)
    y = draft.tensor((rows, channels), _often_lowest(rng, quant, relu))
    attrs = FullyConnectedAttrs(fused(rng, draft.tensors[y]), False)
    return draft.finish("layer", (draft.node("FULLY_CONNECTED", (x, w, b), (y,), attrs),))


def binary_layer(rng: Rng, op: str, shapes: tuple[tuple[int, ...], tuple[int, ...]], equal: bool = False) -> Graph:
    """ADD or MUL of two inputs that broadcast; with `equal` scales of the inputs, whose sums meet many ties."""
    draft = Draft(rng)
    x, other = draft.input(shapes[0]), draft.input(shapes[1])
    if equal:
        scale = replace(draft.quant(x), zero_points=draft.quant(other).zero_points)
        draft.tensors[other] = replace(draft.tensors[other], quant=scale)
    sa, sb = draft.quant(x).scale, draft.quant(other).scale
    factor = 1 if equal else log_uniform(rng, 0.1, 3)
    real = (sa + sb) * factor if op == "ADD" else sa * sb * log_uniform(rng, 0.5, 500)
    y = draft.tensor(np.broadcast_shapes(*shapes), quantization(rng, scale=real))
    return draft.finish("layer", (draft.node(op, (x, other), (y,), BinaryAttrs(fused(rng, draft.tensors[y]))),))


def pool_layer(rng: Rng, op: str, image: tuple[int, int, int, int], kernel: Pair, stride: Pair) -> Graph:
    """AVERAGE_POOL_2D or MAX_POOL_2D, SAME or VALID."""
    draft = Draft(rng)
    x = draft.input(image)
    pads, size = window(rng, image[1:3], kernel, stride, (1, 1))
    y = draft.tensor((image[0], *size, image[3]), draft.quant(x))
    attrs = PoolAttrs(kernel, stride, pads, fused(rng, draft.tensors[y]))
    return draft.finish("layer", (draft.node(op, (x,), (y,), attrs),))


def mean_layer(rng: Rng, shape: tuple[int, ...], axes: tuple[int, ...]) -> Graph:
    """MEAN over `axes`, which it keeps with size 1 or drops."""
    draft = Draft(rng)
    x = draft.input(shape)
    keep = chance(rng, 0.5)
    out = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    quant = quantization(rng, scale=draft.quant(x).scale * log_uniform(rng, 0.2, 3))
    return draft.finish("layer", (draft.node("MEAN", (x,), (draft.tensor(out, quant),), MeanAttrs(axes, keep)),))


def copy_layer(rng: Rng, op: str) -> Graph:
    """An operator that only moves bytes, of a tensor whose innermost runs are long."""
    draft = Draft(rng)
    x = draft.input((between(rng, 1, 3), between(rng, 1, 5), between(rng, 1, 70)))
    BUILDERS[op](draft, x)
    return draft.finish(op.lower(), draft.nodes[-1].outputs)


def _pad(draft: Draft, x: int, pads: Pads) -> int:
    sides = ((0, 0), (pads.top, pads.bottom), (pads.left, pads.right), (0, 0))
    if pads == Pads():
        return x
    shape = tuple(n + before + after for n, (before, after) in zip(draft.shape(x), sides, strict=True))
    y = draft.tensor(shape, draft.quant(x))
    return draft.node("PAD", (x,), (y,), PadAttrs(sides, draft.quant(x).zero_point))


def _often_lowest(rng: Rng, quant: Quantization, always: bool) -> Quantization:
    """A zero point of -128, as a fused RELU gives it, in half of the cases, or always."""
    return replace(quant, zero_points=(-128,)) if chance(rng, 0.5) or always else quant


def tie_layer(rng: Rng, channels: int, zero_point: int, wild: bool, smallest: float = 2**-27) -> Graph:
    """A 1x1 convolution whose accumulators sweep over the ties of the second rounding, one tie a channel.

    One weight of a channel is 1 and the bias stands near a tie of a random output, so that random inputs go over it.
    Shifts are to the right, or `wild`: of all sizes, to the left and by nothing included. Weights are scaled `smallest`
    and more: accumulators then stay below 150 / smallest.
    """
    draft = Draft(rng)
    x = draft.input((1, 16, 16, 4))
    data = np.zeros((channels, 1, 1, 4), np.int8)
    data[:, 0, 0, 0] = 1
    scales = tuple(log_uniform(rng, smallest, 1 if wild else 0.1) for _ in range(channels))
    w = draft.constant(data, Quantization(scales, (0,) * channels, 0))
    quant = Quantization((draft.quant(x).scale * log_uniform(rng, 0.25, 1),), (zero_point,))
    ratio = np.array(scales) * draft.quant(x).scale / quant.scale
    target = rng.integers(-129, 129, channels) - zero_point + 0.5
    acc = np.clip(np.round(target / ratio), -(2**31) + 1024, 2**31 - 1024).astype(np.int64)
    # Where the shift goes left, no operator says what happens beyond int32.
    acc = np.where(ratio >= 0.5, np.clip(acc, -1000, 1000), acc) + draft.quant(x).zero_point
    products = tuple(float(np.float32(draft.quant(x).scale * s)) for s in scales)
    b = draft.constant(acc.astype(np.int32), Quantization(products, (0,) * channels, 0))
    y = draft.tensor((1, 16, 16, channels), quant)
    clamp = fused(rng, draft.tensors[y]) if wild else (-128, 127)
    attrs = ConvAttrs((1, 1), (1, 1), Pads(), clamp)
    return draft.finish("ties", (draft.node("CONV_2D", (x, w, b), (y,), attrs),))
