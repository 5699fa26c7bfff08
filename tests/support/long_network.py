"""Networks of any number of operators: residual blocks with dead channels, for what must not grow faster than they."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import ABSENT, Graph, NoAttrs
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft

_CLAMP = DType.INT8.range
_QUANT = Quantization((0.05,), (3,))
_SIZE, _NARROW, _WIDE = 4, 8, 16


def long_network(operators: int, seed: int = 0) -> Graph:
    """A network of int8 of this many operators or a few more, of which none are alike."""
    draft = Draft(np.random.default_rng([29, seed]))
    x = before = draft.input((1, _SIZE, _SIZE, _NARROW), _QUANT)
    while len(draft.nodes) < operators:
        x, before = _block(draft, x, before), x
    return draft.finish("long", (x,))


def _block(draft: Draft, x: int, before: int) -> int:
    """x + f(x), by a wide layer of which some channels are dead, a gate, and a branch from the block before."""
    wide = _convolution(draft, x, _WIDE, dead=5)
    shaped = _depthwise(draft, wide)
    gate = draft.node("LOGISTIC", (shaped,), (_image(draft, _WIDE, Quantization((1 / 256,), (-128,))),), NoAttrs())
    gated = draft.node("MUL", (shaped, gate), (_image(draft, _WIDE),), BinaryAttrs(_CLAMP))
    joined = draft.node("CONCATENATION", (gated, before), (_image(draft, _WIDE + _NARROW),), ConcatAttrs(3, _CLAMP))
    narrow = _convolution(draft, joined, _NARROW)
    return draft.node("ADD", (x, narrow), (_image(draft, _NARROW),), BinaryAttrs(_CLAMP))


def _image(draft: Draft, channels: int, quant: Quantization = _QUANT) -> int:
    return draft.tensor((1, _SIZE, _SIZE, channels), quant)


def _weights(draft: Draft, shape: tuple[int, ...]) -> int:
    data = draft.rng.integers(-60, 61, shape).astype(np.int8)
    return draft.constant(data, Quantization((0.01,), (0,)))


def _convolution(draft: Draft, x: int, channels: int, dead: int = 0) -> int:
    weights = _weights(draft, (channels, 1, 1, draft.shape(x)[3]))
    if dead:
        data = draft.tensors[weights].data.copy()
        data[draft.rng.permutation(channels)[:dead]] = 0
        draft.tensors[weights] = replace(draft.tensors[weights], data=data)
    attrs = ConvAttrs((1, 1), (1, 1), Pads(), _CLAMP)
    return draft.node("CONV_2D", (x, weights, ABSENT), (_image(draft, channels),), attrs)


def _depthwise(draft: Draft, x: int) -> int:
    channels = draft.shape(x)[3]
    attrs = ConvAttrs((1, 1), (1, 1), Pads(1, 1, 1, 1), _CLAMP)
    weights = _weights(draft, (1, 3, 3, channels))
    return draft.node("DEPTHWISE_CONV_2D", (x, weights, ABSENT), (_image(draft, channels),), attrs)
