"""Layers with constant weights and an optional bias: types, verifier rule, reading and requantization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.ir.graph import ABSENT, Tensor
from harness.ir.operators.operands import Inputs, Operands, clip
from harness.ir.operators.operator import INT8_WEIGHTS, Types
from harness.ir.operators.tflite import Reading, Unsupported
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import Ints, multiply_wide, wrap32
from harness.quantization.params import channel_params
from harness.quantization.types import Array, Clamp, DType

BIAS = frozenset({2})
"""Positions of optional inputs: the bias."""


def types_of(v: View, types: tuple[Types, ...]) -> Types:
    """The combination of `types` for the layer's activations, whose types the verifier has checked, and its bias."""
    fitting = [t for t in types if (t.x, t.y) == (v.x().dtype, v.y().dtype)]
    biased = len(v.node.inputs) > 2 and v.node.inputs[2] != ABSENT
    return next((t for t in fitting if biased and t.bias is v.x(2).dtype), fitting[0])


def verify_weights(
    v: View, channels: int, axis: int, types: tuple[Types, ...] = INT8_WEIGHTS, *, zero_point: bool = False
) -> None:
    """Checks types, quantization and value bounds of weights and bias; `zero_point`: weights may have one.

    Accumulators must fit 32 bits in whatever order terms are added, the input's zero point folded into the bias or not:
    |bias| + (span of the input + 1) * sum|w| < 2^31 for every channel.
    """
    x, w, y = v.x(), v.x(1), v.y()
    wanted = types_of(v, types)
    if y.dtype is DType.FLOAT32:
        _verify_floats(v, channels)
        return
    v.scaled(x, y)
    assert wanted.weights is not None and wanted.bias is not None
    kind = wanted.weights.value
    v.need(w.dtype is wanted.weights and w.data is not None, f"has weights '{w.name}' that are not {kind} constants")
    v.need(w.quant is not None and len(w.q.scales) in (1, channels), f"has weights without 1 or {channels} scales")
    v.need(not w.q.per_channel or w.q.axis == axis, f"has weights quantized along axis {w.q.axis}, not {axis}")
    v.need(
        not any(w.q.zero_points) or (zero_point and not w.q.per_channel),
        "has weights with a zero point other than 0, which TFLM "
        + ("ignores where scales are per channel" if zero_point else "ignores here"),
        "convert the model again with symmetric weights: int8 quantization of TensorFlow Lite has zero point 0 there",
    )
    data = np.moveaxis(np.asarray(w.data), axis, 0).reshape(channels, -1)
    widest = span(x) + 1 if x.dtype is not DType.INT16 else 1 << 15  # int16 has no zero point to fold
    bound = widest * np.abs(data.astype(np.int64) - w.q.zero_point).sum(axis=1)
    if len(v.node.inputs) > 2 and v.node.inputs[2] != ABSENT:
        bound = bound + _bias_magnitude(v, channels, wanted.bias)
    if x.dtype is DType.INT16:
        _verify_wide(v, bound, wanted.bias)
        return
    v.need(int(bound.max()) < INT32, "has weights and bias with which accumulators overflow 32 bits")
    product = float(np.float32(x.q.scale)) / y.q.scale
    for i, scale in enumerate(w.q.scales):
        v.multiplier(product * scale, int(bound[i] if w.q.per_channel else bound.max()))


def _verify_wide(v: View, bound: Ints, bias: DType) -> None:
    """Checks sums of int16 activations, which have 64 bits: TFLM multiplies them by 15 bits, and shifts by 8 to 46."""
    x, w, y = v.x(), v.x(1), v.y()
    v.need(x.q.zero_point == 0 and y.q.zero_point == 0, "has int16 activations with a zero point, which TFLM refuses")
    bits = 31 if bias is DType.INT32 else 47
    v.need(int(bound.max()) < 1 << bits, f"has weights and bias with which accumulators overflow {bits + 1} bits")
    product = float(np.float32(x.q.scale)) / y.q.scale
    for i, scale in enumerate(w.q.scales):
        real = product * scale
        most = int(bound[i] if w.q.per_channel else bound.max())
        fits = 0 <= real < (1 if bias is DType.INT32 else 128) and most * real < INT32
        v.need(fits, f"has the multiplier {real:g}, with which results overflow 32 bits")


def _verify_floats(v: View, channels: int) -> None:
    """Checks that float32 weights and bias are constants without infinities: 0 times one of them is no number."""
    w = v.x(1)
    v.need(w.dtype is DType.FLOAT32 and w.data is not None, f"has weights '{w.name}' that are not float32 constants")
    v.need(bool(np.isfinite(np.asarray(w.data)).all()), f"has weights '{w.name}' that are infinite or no numbers")
    if len(v.node.inputs) > 2 and v.node.inputs[2] != ABSENT:
        b = v.x(2)
        v.need(b.dtype is DType.FLOAT32 and b.data is not None, f"has a bias '{b.name}' that is no float32 constant")
        v.shape(b, (channels,))


def _bias_magnitude(v: View, channels: int, kind: DType) -> Ints:
    """Checks the bias; returns its magnitude by channel."""
    x, w, b, y = v.x(), v.x(1), v.x(2), v.y()
    v.need(b.dtype is kind and b.data is not None, f"has a bias '{b.name}' that is not an {kind.value} constant")
    v.shape(b, (channels,))
    if b.source is not None:
        # TFLM compares the first channel only, GetQuantizedConvolutionMultipler.
        scale = 0.0 if b.quant is None else b.q.scale
        difference = abs(x.q.scale * w.q.scale - scale) / y.q.scale
        v.need(difference <= 0.02, f"has a bias of scale {scale:g}, not {x.q.scale * w.q.scale:g} (input * weights)")
    return np.abs(np.asarray(b.data).astype(np.int64))


def requantized(acc: Ints, clamp: Clamp, op: Operands) -> Array:
    """Accumulators with channels last to the output: scale per channel, add zero point, clamp."""
    if op.y.dtype is DType.INT16 and not has_narrow_sums(op.ins):
        multipliers, shifts = channel_params(op.x, op.input(1), op.y, acc.shape[-1])
        return clip(multiply_wide(acc, multipliers, shifts) + op.y.q.zero_point, clamp, op.y)
    return clip(op.requantize(wrap32(acc), op.x, op.input(1), op.y) + op.y.q.zero_point, clamp, op.y)


def has_narrow_sums(ins: Sequence[Tensor | None]) -> bool:
    """Whether TFLM sums in 32 bits, as it does for int16 activations with an int32 bias."""
    bias = ins[2] if len(ins) > 2 else None
    return bias is not None and bias.dtype is DType.INT32


def bias_of(inputs: Inputs) -> Ints | int:
    """The bias, or zero."""
    bias = inputs[2] if len(inputs) > 2 else None
    return 0 if bias is None else bias.astype(np.int64)


def read_weighted(op: Reading) -> tuple[int, ...]:
    """Tensor ids in a file of x, weights, and bias or ABSENT."""
    op.count(2, 3)
    bias = op.inputs[2] if len(op.inputs) == 3 else ABSENT
    for what, t in (("weights", op.inputs[1]), ("bias", bias)):
        if t != ABSENT and not op.has_data(t):
            raise Unsupported(f"{what} computed at run time")
    return (*op.ids(0, 1), bias)


def kernel_of(weights: Tensor) -> tuple[int, int]:
    """(height, width) of a convolution's weights, OHWI or 1HWO."""
    return weights.shape[1], weights.shape[2]
