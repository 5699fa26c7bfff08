"""A keyword-spotting network for tests that must run everywhere: the layers of MLPerf Tiny's DS-CNN, weights drawn.

Y. Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers" (2017), as MLPerf Tiny has it: 49 x 10 features, one
convolution, four depthwise separable blocks of 64 channels, average pooling, 12 classes. 2.66 million multiplications.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.ir.activations import activation_clamp
from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, same_pads
from harness.quantization.types import Quantization
from tests.support.draft import Draft
from tests.support.models import find_model

REAL = "mlperftiny_kws_int8"
CHANNELS, CLASSES, BLOCKS = 64, 12, 4
# Standard deviations of weights, of what they meet and of what they make, in steps; and the size of a result's step
WEIGHT, INPUT, OUTPUT, RESULT = 40.0, 25.0, 40.0, 2.0**-5


def kws_model(folder: Path) -> Path:
    """MLPerf Tiny's own model where a folder of real models has it, else one with the same layers in `folder`."""
    found = find_model(REAL)
    if found is not None:
        return found
    path = folder / "kws.tflite"
    path.write_bytes(kws_graph().model)
    return path


def kws_graph(seed: int = 0) -> Graph:
    """The network with drawn weights. Scales keep most activations inside int8."""
    return _separable("kws", seed, CHANNELS, (2, 2), (CHANNELS,) * BLOCKS, (1, 1))


def micronet_graph(seed: int = 0) -> Graph:
    """The layers of MicroNet-KWS-M with drawn weights: C. Banbury et al., "MicroNets" (2021), 15.4 million MACs."""
    return _separable("micronet", seed, 140, (1, 1), (140, 140, 140, 112, 196), (2, 2))


def _separable(
    name: str, seed: int, first: int, stride: tuple[int, int], blocks: tuple[int, ...], block_stride: tuple[int, int]
) -> Graph:
    """A convolution to `first` channels and depthwise separable blocks, the first of which has a stride of its own."""
    draft = Draft(np.random.default_rng(seed))
    x = draft.input((1, 49, 10, 1), Quantization((0.5,), (4,)))
    x = _conv(draft, x, "CONV_2D", (10, 4), stride, first)
    for number, channels in enumerate(blocks):
        x = _conv(draft, x, "DEPTHWISE_CONV_2D", (3, 3), (1, 1) if number else block_stride, draft.shape(x)[3])
        x = _conv(draft, x, "CONV_2D", (1, 1), (1, 1), channels)
    _, height, width, depth = draft.shape(x)
    pooled = draft.tensor((1, 1, 1, depth), draft.quant(x))
    clamp = activation_clamp("NONE", draft.tensors[pooled])
    x = draft.node("AVERAGE_POOL_2D", (x,), (pooled,), PoolAttrs((height, width), (height, width), Pads(), clamp))
    x = draft.node("RESHAPE", (x,), (draft.tensor((1, depth), draft.quant(x)),), NoAttrs())
    weights, bias, quant = _weights(draft, x, (CLASSES, depth), 0, depth, relu=False, per_channel=False)
    logits = draft.tensor((1, CLASSES), quant)
    clamp = activation_clamp("NONE", draft.tensors[logits])
    x = draft.node("FULLY_CONNECTED", (x, weights, bias), (logits,), FullyConnectedAttrs(clamp))
    y = draft.tensor((1, CLASSES), Quantization((1 / 256,), (-128,)))
    return draft.finish(name, (draft.node("SOFTMAX", (x,), (y,), SoftmaxAttrs(1.0)),))


def _conv(draft: Draft, x: int, op: str, kernel: tuple[int, int], stride: tuple[int, int], channels: int) -> int:
    _, height, width, depth = draft.shape(x)
    deep = op == "DEPTHWISE_CONV_2D"
    shape, axis = ((1, *kernel, depth), 3) if deep else ((channels, *kernel, depth), 0)
    taps = kernel[0] * kernel[1] * (1 if deep else depth)
    weights, bias, quant = _weights(draft, x, shape, axis, taps, relu=True, per_channel=True)
    y = draft.tensor((1, -(-height // stride[0]), -(-width // stride[1]), channels), quant)
    pads = same_pads((height, width), kernel, stride, (1, 1))
    attrs = ConvAttrs(stride, (1, 1), pads, activation_clamp("RELU", draft.tensors[y]))
    return draft.node(op, (x, weights, bias), (y,), attrs)


def _weights(
    draft: Draft, x: int, shape: tuple[int, ...], axis: int, taps: int, *, relu: bool, per_channel: bool
) -> tuple[int, int, Quantization]:
    """(weights, bias, quantization of the result)."""
    rng, scale = draft.rng, draft.quant(x).scale
    channels = shape[axis]
    data = np.clip(np.round(rng.normal(0, WEIGHT, shape)), -127, 127).astype(np.int8)
    spread = WEIGHT * INPUT * np.sqrt(taps)
    middle = OUTPUT * RESULT / (scale * spread)
    scales = tuple(float(np.float32(s)) for s in rng.uniform(0.7, 1.4, channels if per_channel else 1) * middle)
    products = tuple(float(np.float32(np.float32(scale) * np.float32(s))) for s in scales)
    weights = draft.constant(data, Quantization(scales, (0,) * len(scales), axis if per_channel else None))
    bias = draft.constant(
        np.round(rng.normal(0, spread / 4, channels)).astype(np.int32),
        Quantization(products, (0,) * len(products), 0 if per_channel else None),
    )
    return weights, bias, Quantization((RESULT,), (-128 if relu else 0,))
