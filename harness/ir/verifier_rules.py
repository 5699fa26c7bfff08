"""The rule of each operator: shapes, element types, quantization and value bounds.

Sources: tensorflow/lite/micro/kernels (Prepare functions, in the *_common.cc files) and the TensorFlow Lite 8-bit
quantization specification.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, prod

import numpy as np

from harness.ir.graph import (
    ABSENT,
    BinaryAttrs,
    ConcatAttrs,
    ConvAttrs,
    FullyConnectedAttrs,
    MeanAttrs,
    NoAttrs,
    PadAttrs,
    PoolAttrs,
    SliceAttrs,
    SoftmaxAttrs,
    SplitAttrs,
    TableAttrs,
    Tensor,
    VariableAttrs,
)
from harness.ir.verifier_view import INT32, View
from harness.quantization.types import DType

# --- layers with weights ---------------------------------------------------------------------------------------------


def _weights(v: View, channels: int, axis: int) -> None:
    """Types, quantization and value bounds that all layers with weights share.

    Accumulators must fit 32 bits in whatever order terms are added, the input's zero point folded into the bias or not:
    |bias| + 256 * sum|w| < 2^31 for every channel.
    """
    x, w, y = v.x(), v.x(1), v.y()
    v.int8(x, y)
    v.need(w.dtype is DType.INT8 and w.data is not None, f"has weights '{w.name}' that are not int8 constants")
    v.need(w.quant is not None and len(w.q.scales) in (1, channels), f"has weights without 1 or {channels} scales")
    v.need(not w.q.per_channel or w.q.axis == axis, f"has weights quantized along axis {w.q.axis}, not {axis}")
    v.need(not any(w.q.zero_points), "has weights with a zero point other than 0")
    data = np.moveaxis(np.asarray(w.data), axis, 0).reshape(channels, -1)
    bound = 256 * np.abs(data.astype(np.int64)).sum(axis=1)
    if len(v.node.inputs) > 2 and v.node.inputs[2] != ABSENT:
        bound = bound + _bias(v, channels)
    v.need(int(bound.max()) < INT32, "has weights and bias with which accumulators overflow 32 bits")
    product = float(np.float32(x.q.scale)) / y.q.scale
    for i, scale in enumerate(w.q.scales):
        v.multiplier(product * scale, int(bound[i] if w.q.per_channel else bound.max()))


def _bias(v: View, channels: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Checks the bias and returns its magnitude per channel."""
    x, w, b, y = v.x(), v.x(1), v.x(2), v.y()
    v.need(b.dtype is DType.INT32 and b.data is not None, f"has a bias '{b.name}' that is not an int32 constant")
    v.shape(b, (channels,))
    if b.source is not None:
        # TFLM compares the first channel only, GetQuantizedConvolutionMultipler.
        scale = 0.0 if b.quant is None else b.q.scale
        difference = abs(x.q.scale * w.q.scale - scale) / y.q.scale
        v.need(difference <= 0.02, f"has a bias of scale {scale:g}, not {x.q.scale * w.q.scale:g} (input * weights)")
    return np.abs(np.asarray(b.data).astype(np.int64))


def _window(v: View, kernel: tuple[int, int], attrs: ConvAttrs | PoolAttrs, dilation: tuple[int, int]) -> None:
    """Spatial size of the output of a convolution or pooling."""
    x, y, p = v.x(), v.y(), attrs.pads
    v.need(len(x.shape) == 4 and len(y.shape) == 4, f"reads {list(x.shape)} and writes {list(y.shape)}, not NHWC")
    pads = ((p.top, p.bottom), (p.left, p.right))
    for i, (before, after) in enumerate(pads):
        k, s, d = kernel[i], attrs.stride[i], dilation[i]
        v.need(min(before, after) >= 0 and min(k, s, d) >= 1, "has a negative padding, or a zero kernel or stride")
        span = x.shape[1 + i] + before + after - ((k - 1) * d + 1)
        v.need(span >= 0, f"has a kernel larger than its padded input {list(x.shape)}")
        v.need(span // s + 1 == y.shape[1 + i], f"gives {span // s + 1} rows or columns, '{y.name}' is {list(y.shape)}")
    v.need(x.shape[0] == y.shape[0], "changes the batch size")
    v.clamp(attrs.clamp)


def _conv_2d(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    _window(v, (w.shape[1], w.shape[2]), attrs, attrs.dilation)
    v.need(x.shape[3] % w.shape[3] == 0, f"has {x.shape[3]} input channels, and weights for {w.shape[3]}")
    groups = x.shape[3] // w.shape[3]
    v.need(w.shape[0] % groups == 0, f"has {w.shape[0]} filters in {groups} groups")
    v.need(y.shape[3] == w.shape[0], f"has {w.shape[0]} filters, its output {y.shape[3]} channels")
    _weights(v, w.shape[0], 0)


def _depthwise_conv_2d(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4 and w.shape[0] == 1, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    _window(v, (w.shape[1], w.shape[2]), attrs, attrs.dilation)
    v.need(w.shape[3] % x.shape[3] == 0, f"has {x.shape[3]} input channels and {w.shape[3]} filters")
    v.need(y.shape[3] == w.shape[3], f"has {w.shape[3]} filters, its output {y.shape[3]} channels")
    _weights(v, w.shape[3], 3)


def _fully_connected(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 2, f"has weights of shape {list(w.shape)}")
    out, depth = w.shape
    v.need(x.elements % depth == 0, f"reads {x.elements} elements in rows of {depth}")
    fits = bool(y.shape) and y.shape[-1] == out and y.elements == x.elements // depth * out
    v.need(fits, f"gives {x.elements // depth} rows of {out}, '{y.name}' has shape {list(y.shape)}")
    v.clamp(v.attrs(FullyConnectedAttrs).clamp)
    _weights(v, out, 0)


# --- other arithmetic ------------------------------------------------------------------------------------------------


def _pool_2d(v: View) -> None:
    attrs = v.attrs(PoolAttrs)
    _window(v, attrs.kernel, attrs, (1, 1))
    x, y, p, (height, width) = v.x(), v.y(), attrs.pads, attrs.kernel
    v.need(x.shape[3] == y.shape[3], "changes the number of channels")
    v.need(max(p.top, p.bottom) < height and max(p.left, p.right) < width, "has windows of nothing but padding")
    v.need(height * width * 128 < INT32, f"has a kernel of {height} x {width}, with which sums overflow 32 bits")
    v.int8(x, y)
    v.same_quant(x, y)


def _mean(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(MeanAttrs)
    rank = len(x.shape)
    axes = attrs.axes
    v.need(bool(axes) and list(axes) == sorted(set(axes)) and 0 <= axes[0] <= axes[-1] < rank, f"has axes {list(axes)}")
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if attrs.keep_dims or i not in axes)
    v.shape(y, kept)
    v.int8(x, y)
    count = prod(x.shape[i] for i in axes)
    v.need(count * 255 < INT32, f"averages {count} elements, with which sums overflow 32 bits")
    v.multiplier(x.q.scale / y.q.scale, count * 255)


def _broadcast(v: View) -> None:
    a, b, y = v.x(), v.x(1), v.y()
    v.need(max(len(a.shape), len(b.shape)) <= 4, "has more than 4 dimensions")
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise v.error(f"cannot broadcast {list(a.shape)} with {list(b.shape)}") from None
    v.shape(y, tuple(int(n) for n in shape))
    v.int8(a, b, y)
    v.clamp(v.attrs(BinaryAttrs).clamp)


def _add(v: View) -> None:
    _broadcast(v)
    a, b, y = v.x(), v.x(1), v.y()
    real = 2 * max(a.q.scale, b.q.scale) / ((1 << 20) * y.q.scale)
    v.need(real < 1, f"has an output scale {y.q.scale:g} too small for its inputs' ({a.q.scale:g}, {b.q.scale:g})")


def _mul(v: View) -> None:
    _broadcast(v)
    v.multiplier(v.x().q.scale * v.x(1).q.scale / v.y().q.scale, 255 * 255)


def _softmax(v: View) -> None:
    x, y, beta = v.x(), v.y(), v.attrs(SoftmaxAttrs).beta
    v.shape(y, x.shape)
    v.need(len(x.shape) >= 1, "reads a scalar")
    v.int8(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 256, -128), "must have an output of scale 1/256 and zero point -128")
    v.need(isfinite(beta) and beta * x.q.scale * (1 << 26) > 1, f"has beta {beta:g} and input scale {x.q.scale:g}")


def _logistic(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.int8(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 256, -128), "must have an output of scale 1/256 and zero point -128")
    v.need(2.0**-28 <= x.q.scale < 2.0**30, f"has an input of scale {x.q.scale:g}, outside 2^-28 to 2^30")


def _relu(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.int8(x, y)
    v.multiplier(x.q.scale / y.q.scale, 255)


def _relu6(v: View) -> None:
    _relu(v)
    v.same_quant(v.x(), v.y())


QUANTIZE_PAIRS = frozenset(
    {
        (DType.FLOAT32, DType.INT8),
        (DType.FLOAT32, DType.INT16),
        (DType.INT8, DType.INT8),
        (DType.INT8, DType.UINT8),
        (DType.INT8, DType.INT16),
        (DType.UINT8, DType.INT8),
        (DType.INT16, DType.INT8),
        (DType.INT16, DType.INT16),
    }
)
"""Element types TFLM's QUANTIZE converts between (quantize_common.cc), int32 left out."""


def _quantize(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.need((x.dtype, y.dtype) in QUANTIZE_PAIRS, f"from {x.dtype.value} to {y.dtype.value} is not supported")
    scale = v.scaled(y)
    if x.dtype is not DType.FLOAT32:
        low, high = x.dtype.range
        v.multiplier(v.scaled(x) / scale, high - low)


def _table(v: View) -> None:
    x, y, values = v.x(), v.y(), v.attrs(TableAttrs).values
    v.shape(y, x.shape)
    v.need({x.dtype, y.dtype} <= {DType.INT8, DType.UINT8}, f"from {x.dtype.value} to {y.dtype.value} is not supported")
    low, high = y.dtype.range
    v.need(len(values) == 256 and low <= min(values) <= max(values) <= high, "has a table of other values")


def _dequantize(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    sound = x.dtype in (DType.INT8, DType.UINT8, DType.INT16) and y.dtype is DType.FLOAT32
    v.need(sound, f"from {x.dtype.value} to {y.dtype.value} is not supported")
    v.scaled(x)


# --- moving bytes ----------------------------------------------------------------------------------------------------


def _pad(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(PadAttrs)
    v.need(len(x.shape) <= 4 and len(attrs.paddings) == len(x.shape), f"pads {list(x.shape)} by {attrs.paddings}")
    v.need(all(before >= 0 and after >= 0 for before, after in attrs.paddings), "has a negative padding")
    v.shape(y, tuple(n + before + after for n, (before, after) in zip(x.shape, attrs.paddings, strict=True)))
    v.int8(x, y)
    v.same_quant(x, y)
    v.clamp((attrs.value, attrs.value))


def _along(v: View, whole: Tensor, parts: list[Tensor], axis: int) -> None:
    """`parts` laid side by side along `axis` make `whole`."""
    v.need(0 <= axis < len(whole.shape) <= 4, f"has axis {axis} over {len(whole.shape)} dimensions (of at most 4)")
    for t in parts:
        sound = len(t.shape) == len(whole.shape) and all(
            i == axis or n == m for i, (n, m) in enumerate(zip(t.shape, whole.shape, strict=True))
        )
        v.need(sound, f"has '{t.name}' of shape {list(t.shape)} along axis {axis} of {list(whole.shape)}")
    total = sum(t.shape[axis] for t in parts)
    v.need(total == whole.shape[axis], f"has {total} of {whole.shape[axis]} elements along axis {axis}")
    v.int8(whole, *parts)
    v.same_quant(whole, *parts)


def _concatenation(v: View) -> None:
    attrs = v.attrs(ConcatAttrs)
    parts = [v.x(i) for i in range(len(v.node.inputs))]
    _along(v, v.y(), parts, attrs.axis)
    v.same_quant(v.y(), *parts, tolerance=0.0)
    v.clamp(attrs.clamp)


def _split(v: View) -> None:
    _along(v, v.x(), [v.y(i) for i in range(len(v.node.outputs))], v.attrs(SplitAttrs).axis)


def _strided_slice(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(SliceAttrs)
    rank = len(x.shape)
    v.need(rank <= 4, "has more than 4 dimensions")
    v.need(len(attrs.begin) == len(attrs.strides) == len(attrs.counts) == rank, "has fewer indices than dimensions")
    for n, begin, stride, count in zip(x.shape, attrs.begin, attrs.strides, attrs.counts, strict=True):
        last = begin + (count - 1) * stride
        sound = stride != 0 and count >= 1 and 0 <= begin < n and 0 <= last < n
        v.need(sound, f"takes {count} elements from {begin} by {stride} of {n}")
    v.need(y.elements == prod(attrs.counts), f"takes {list(attrs.counts)}, '{y.name}' has shape {list(y.shape)}")
    v.int8(x, y)
    v.same_quant(x, y)


def _reshape(v: View) -> None:
    x, y = v.x(), v.y()
    v.need(x.elements == y.elements, f"makes {list(y.shape)} of {list(x.shape)}")
    v.need(x.dtype is y.dtype, f"makes {y.dtype.value} of {x.dtype.value}")
    if x.quant is not None and y.quant is not None and x.dtype is not DType.FLOAT32:
        v.same_quant(x, y)


def _variable(v: View) -> None:
    state = v.attrs(VariableAttrs).state
    v.need(0 <= state < len(v.graph.states), f"refers to state {state}, of {len(v.graph.states)}")
    held, t = v.graph.states[state], v.x() if v.node.inputs else v.y()
    v.need(t.dtype is held.dtype, f"has '{t.name}' of type {t.dtype.value}, the state is {held.dtype.value}")
    v.shape(t, held.initial.shape)


WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
_ONE = (1, 1)
_NONE = (0, 0)

RULES: dict[str, tuple[type, tuple[int, int], tuple[int, int], Callable[[View], None]]] = {
    "CONV_2D": (ConvAttrs, (2, 3), _ONE, _conv_2d),
    "DEPTHWISE_CONV_2D": (ConvAttrs, (2, 3), _ONE, _depthwise_conv_2d),
    "FULLY_CONNECTED": (FullyConnectedAttrs, (2, 3), _ONE, _fully_connected),
    "AVERAGE_POOL_2D": (PoolAttrs, _ONE, _ONE, _pool_2d),
    "MAX_POOL_2D": (PoolAttrs, _ONE, _ONE, _pool_2d),
    "MEAN": (MeanAttrs, _ONE, _ONE, _mean),
    "ADD": (BinaryAttrs, (2, 2), _ONE, _add),
    "MUL": (BinaryAttrs, (2, 2), _ONE, _mul),
    "PAD": (PadAttrs, _ONE, _ONE, _pad),
    "PADV2": (PadAttrs, _ONE, _ONE, _pad),
    "RESHAPE": (NoAttrs, _ONE, _ONE, _reshape),
    "SQUEEZE": (NoAttrs, _ONE, _ONE, _reshape),
    "EXPAND_DIMS": (NoAttrs, _ONE, _ONE, _reshape),
    "SOFTMAX": (SoftmaxAttrs, _ONE, _ONE, _softmax),
    "LOGISTIC": (NoAttrs, _ONE, _ONE, _logistic),
    "RELU": (NoAttrs, _ONE, _ONE, _relu),
    "RELU6": (NoAttrs, _ONE, _ONE, _relu6),
    "QUANTIZE": (NoAttrs, _ONE, _ONE, _quantize),
    "DEQUANTIZE": (NoAttrs, _ONE, _ONE, _dequantize),
    "TABLE": (TableAttrs, _ONE, _ONE, _table),
    "CONCATENATION": (ConcatAttrs, (1, 10), _ONE, _concatenation),
    "SPLIT": (SplitAttrs, _ONE, (1, 1_000), _split),
    "SPLIT_V": (SplitAttrs, _ONE, (1, 1_000), _split),
    "STRIDED_SLICE": (SliceAttrs, _ONE, _ONE, _strided_slice),
    "READ_VARIABLE": (VariableAttrs, _NONE, _ONE, _variable),
    "ASSIGN_VARIABLE": (VariableAttrs, _ONE, _NONE, _variable),
}
"""Operator -> its attributes, numbers of inputs and of outputs (least, most), and the rule it keeps."""
