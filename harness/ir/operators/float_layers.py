"""float32 layers with weights, pools and SOFTMAX: sums in TFLM's order, each product and each sum rounded by itself.

Source: the headers of tensorflow/lite/kernels/internal/reference (conv.h, depthwiseconv_float.h, softmax.h, ...).
"""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.ir.operators.operands import Floats, Inputs, Operands, clip, floats
from harness.ir.operators.operator import Types
from harness.ir.operators.windows import padded, tap
from harness.ir.window import ConvAttrs, PoolAttrs
from harness.quantization import elementary
from harness.quantization.types import Array, Clamp, DType

FLOAT_WEIGHTS = (Types(DType.FLOAT32, DType.FLOAT32, weights=DType.FLOAT32, bias=DType.FLOAT32),)
"""float32 throughout."""


def _biased(total: Floats, inputs: Inputs) -> Floats:
    return total + (floats(inputs, 2) if len(inputs) > 2 and inputs[2] is not None else np.float32(0))


def conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """CONV_2D: by rows, columns and input channels of the kernel; the bias at the end."""
    attrs, w = cast(ConvAttrs, op.attrs), floats(inputs, 1)
    channels, kh, kw, depth = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = padded(floats(inputs, 0), attrs.pads, reach, op, attrs.stride, 0)  # 0 times a weight changes no sum
    groups = x.shape[3] // depth
    first = np.arange(channels) // (channels // groups) * depth
    total = np.zeros(op.y.shape, np.float32)
    for dy in range(kh):
        for dx in range(kw):
            seen = tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape)
            for i in range(depth):
                total += (seen[..., [i]] if groups == 1 else seen[..., first + i]) * w[:, dy, dx, i]
    return (clip(_biased(total, inputs), attrs.clamp, op.y),)


def depthwise_conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DEPTHWISE_CONV_2D: by rows and columns of the kernel; the bias at the end."""
    attrs, w = cast(ConvAttrs, op.attrs), floats(inputs, 1)
    _, kh, kw, channels = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = padded(floats(inputs, 0), attrs.pads, reach, op, attrs.stride, 0)
    x = np.repeat(x, channels // x.shape[3], axis=3)
    total = np.zeros(op.y.shape, np.float32)
    for dy in range(kh):
        for dx in range(kw):
            seen = tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape)
            total += seen * w[0, dy, dx]
    return (clip(_biased(total, inputs), attrs.clamp, op.y),)


def fully_connected(inputs: Inputs, op: Operands, clamp: Clamp) -> tuple[Array, ...]:
    """FULLY_CONNECTED: by inputs; the bias at the end."""
    w = floats(inputs, 1)
    x = floats(inputs, 0).reshape(-1, w.shape[1])
    total = np.zeros((len(x), len(w)), np.float32)
    for i in range(w.shape[1]):
        total += x[:, [i]] * w[:, i]
    return (clip(_biased(total, inputs), clamp, op.y),)


def average_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """AVERAGE_POOL_2D: the sum of the elements inside the image over their number."""
    return (clip(mean_inside(floats(inputs, 0), op), cast(PoolAttrs, op.attrs).clamp, op.y),)


def mean_inside(x: Floats, op: Operands) -> Floats:
    """Mean of the elements of every window of a pool that are inside the image x, summed in order."""
    attrs = cast(PoolAttrs, op.attrs)
    image = padded(x, attrs.pads, attrs.kernel, op, attrs.stride, 0)
    inside = padded(np.ones_like(x), attrs.pads, attrs.kernel, op, attrs.stride, 0)
    total, count = np.zeros(op.y.shape, np.float32), np.zeros(op.y.shape, np.float32)
    for dy in range(attrs.kernel[0]):
        for dx in range(attrs.kernel[1]):
            total += tap(image, dy, dx, attrs.stride, op.y.shape)
            count += tap(inside, dy, dx, attrs.stride, op.y.shape)
    return total / count


def log_softmax(x: Floats) -> Array:
    """LOG_SOFTMAX over the last dimension."""
    below = x - x.max(axis=-1, keepdims=True)
    total = np.add.accumulate(elementary.exp(below), axis=-1, dtype=np.float32)[..., -1:]
    return cast(Array, below - elementary.log(total))


def softmax(x: Floats, beta: float) -> Array:
    """SOFTMAX over the last dimension, summed from its first element on."""
    exps = elementary.exp((x - x.max(axis=-1, keepdims=True)) * np.float32(beta))
    return cast(Array, exps / np.add.accumulate(exps, axis=-1, dtype=np.float32)[..., -1:])
