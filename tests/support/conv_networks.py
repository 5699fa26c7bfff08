"""Networks of our own whose bulk are 3x3 convolutions of stride 1: a plain one as VGG, and one of residual blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft, Few
from tests.support.few_values import few_values

_CLAMP = DType.INT8.range
_SCALE, _SPREAD = 1 / 32, 35
"""Of activations; and the deviation of weights, which are scaled so that sums of them spread as the activations do."""
CLASSES = 10


def vgg_like(size: int, channels: Sequence[int], seed: int = 0, few: Few | None = None) -> Graph:
    """Pairs of convolutions with fused RELU of so many channels, each followed by a pool that halves the image.

    few: which few values weights have.
    """
    draft = Draft(np.random.default_rng([31, seed]), few=few)
    x = draft.input((1, size, size, 3), Quantization((_SCALE,), (0,)))
    for count in channels:
        x = _convolution(draft, _convolution(draft, x, count), count)
        x = _halved(draft, x)
    return _classified(draft, "vgg_like", x)


def resnet_like(size: int, channels: Sequence[int], blocks: int = 2, seed: int = 0) -> Graph:
    """Stages of residual blocks of two convolutions; a convolution goes before each, and a pool between them."""
    draft = Draft(np.random.default_rng([37, seed]))
    x = draft.input((1, size, size, 3), Quantization((_SCALE,), (0,)))
    for number, count in enumerate(channels):
        x = _convolution(draft, _halved(draft, x) if number else x, count)
        for _ in range(blocks):
            inner = _convolution(draft, _convolution(draft, x, count), count, relu=False)
            y = draft.tensor(draft.shape(x), Quantization((_SCALE,), (-128,)))
            x = draft.node("ADD", (x, inner), (y,), BinaryAttrs(_CLAMP))
    return _classified(draft, "resnet_like", x)


def _convolution(draft: Draft, x: int, channels: int, relu: bool = True) -> int:
    """3x3, SAME, with multipliers by channel."""
    rng, (_, height, width, depth) = draft.rng, draft.shape(x)
    usual = 1 / (_SPREAD * (9 * depth) ** 0.5)
    scales = tuple(float(np.float32(usual * s)) for s in rng.uniform(0.5, 1.5, channels))
    w, b = _weights(draft, x, (channels, 3, 3, depth), scales)
    y = draft.tensor((1, height, width, channels), Quantization((_SCALE,), (-128 if relu else 5,)))
    return draft.node("CONV_2D", (x, w, b), (y,), ConvAttrs((1, 1), (1, 1), Pads(1, 1, 1, 1), _CLAMP))


def _weights(draft: Draft, x: int, shape: tuple[int, ...], scales: tuple[float, ...]) -> tuple[int, int]:
    rng, channels = draft.rng, shape[0]
    data = np.clip(np.round(rng.normal(0, _SPREAD, shape)), -127, 127).astype(np.int8)
    data = data if draft.few is None else few_values(rng, data, 0, draft.few)
    w = draft.constant(data, Quantization(scales, (0,) * channels, 0))
    products = tuple(float(np.float32(np.float32(draft.quant(x).scale) * np.float32(s))) for s in scales)
    bias = np.round(rng.normal(0, 20 / np.array(scales))).astype(np.int32)
    return w, draft.constant(bias, Quantization(products, (0,) * channels, 0))


def _halved(draft: Draft, x: int) -> int:
    _, height, width, depth = draft.shape(x)
    y = draft.like(x, (1, height // 2, width // 2, depth))
    return draft.node("MAX_POOL_2D", (x,), (y,), PoolAttrs((2, 2), (2, 2), Pads(), _CLAMP))


def _classified(draft: Draft, name: str, x: int) -> Graph:
    _, height, width, depth = draft.shape(x)
    pooled = draft.like(x, (1, 1, 1, depth))
    draft.node("AVERAGE_POOL_2D", (x,), (pooled,), PoolAttrs((height, width), (1, 1), Pads(), _CLAMP))
    row = draft.node("RESHAPE", (pooled,), (draft.like(x, (1, depth)),), NoAttrs())
    w, b = _weights(draft, row, (CLASSES, depth), (1 / 256,) * CLASSES)
    y = draft.tensor((1, CLASSES), Quantization((1 / 8,), (0,)))
    draft.node("FULLY_CONNECTED", (row, w, b), (y,), FullyConnectedAttrs(_CLAMP))
    chances = draft.tensor((1, CLASSES), Quantization((1 / 256,), (-128,)))
    return draft.finish(name, (draft.node("SOFTMAX", (y,), (chances,), SoftmaxAttrs(1.0)),))
