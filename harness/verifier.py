"""Rules that every Graph keeps: after import, and after every pass.

Structure (ids, order, one writer a tensor), then per operator shapes, element types, quantization and value bounds. The
rules are those under which TFLM computes a defined result; where it would abort, shift by a negative amount or overflow
32 bits, the graph is refused by name. Sources: tensorflow/lite/micro/kernels (the *_common.cc files' Prepare functions)
and the TensorFlow Lite 8-bit quantization specification.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, prod
from typing import TypeVar, cast

import numpy as np

from harness.errors import GraphError
from harness.graph import (
    ABSENT,
    BinaryAttrs,
    Clamp,
    ConcatAttrs,
    ConvAttrs,
    DType,
    FullyConnectedAttrs,
    Graph,
    MeanAttrs,
    NoAttrs,
    Node,
    PadAttrs,
    PoolAttrs,
    SliceAttrs,
    SoftmaxAttrs,
    SplitAttrs,
    Tensor,
    VariableAttrs,
)

MAX_TENSOR_BYTES = 1 << 24
"""Largest tensor or state in bytes; more than any supported board's memory, less than what would exhaust a host."""

_MAX_RANK = 8
_INT32 = 1 << 31
_A = TypeVar("_A")


def verify(graph: Graph) -> None:
    """Checks a Graph.

    Raises:
        GraphError: naming the node, the tensor and the rule that it breaks.
    """
    for tensor in graph.tensors:
        _tensor(tensor)
    _structure(graph)
    for state in graph.states:
        shape = state.initial.shape
        if state.initial.dtype != state.dtype.numpy or 0 in shape or state.bytes > MAX_TENSOR_BYTES:
            raise _error(f"state '{state.name}' of shape {list(shape)} and type {state.initial.dtype}")
    for i, node in enumerate(graph.nodes):
        view = _View(graph, i, node)
        if node.op not in RULES:
            raise view.error("is an operator that tinyhil does not know")
        kind, inputs, outputs, rule = RULES[node.op]
        if not isinstance(node.attrs, kind):
            raise view.error(f"has {type(node.attrs).__name__} instead of {kind.__name__}")
        if not inputs[0] <= len(node.inputs) <= inputs[1] or not outputs[0] <= len(node.outputs) <= outputs[1]:
            raise view.error(f"has {len(node.inputs)} inputs and {len(node.outputs)} outputs")
        optional = node.op in _WEIGHTED
        if any(t == ABSENT and not (optional and k == 2) for k, t in enumerate(node.inputs)):
            raise view.error("misses an input that is not optional")
        rule(view)


def _error(message: str) -> GraphError:
    return GraphError(message, hint="convert the model again; if a pass of tinyhil made this graph, report it")


@dataclass(frozen=True)
class _View:
    """A node with its tensors at hand."""

    graph: Graph
    index: int
    node: Node

    def error(self, what: str) -> GraphError:
        where = f"operator {self.node.sources[0]}" if self.node.sources else f"node {self.index}"
        return _error(f"{where} ({self.node.op}) {what}")

    def need(self, sound: bool, what: str) -> None:
        """Raises unless a rule holds."""
        if not sound:
            raise self.error(what)

    def x(self, i: int = 0) -> Tensor:
        return self.graph.tensors[self.node.inputs[i]]

    def y(self, i: int = 0) -> Tensor:
        return self.graph.tensors[self.node.outputs[i]]

    def attrs(self, kind: type[_A]) -> _A:
        return cast(_A, self.node.attrs)

    def int8(self, *tensors: Tensor) -> None:
        """All of them are int8 with one scale."""
        for t in tensors:
            self.need(t.dtype is DType.INT8, f"has tensor '{t.name}' of type {t.dtype.value}, not int8")
            self.scaled(t)

    def scaled(self, t: Tensor) -> float:
        """The scale of a tensor quantized as a whole."""
        self.need(t.quant is not None, f"has tensor '{t.name}' without quantization parameters")
        self.need(not t.q.per_channel, f"has tensor '{t.name}' quantized per channel, which only weights may be")
        self.need(t.q.scale > 0, f"has tensor '{t.name}' of scale {t.q.scale}")
        return t.q.scale

    def same_quant(self, *tensors: Tensor, tolerance: float = 1e-6) -> None:
        """All of them are quantized alike: the operator moves bytes and does not requantize."""
        a = tensors[0].q
        for t in tensors[1:]:
            alike = abs(t.q.scale - a.scale) <= tolerance * a.scale and t.q.zero_point == a.zero_point
            self.need(
                alike,
                f"does not requantize, but '{tensors[0].name}' has scale {a.scale:g}, zero point {a.zero_point} and "
                f"'{t.name}' has {t.q.scale:g}, {t.q.zero_point}",
            )

    def shape(self, t: Tensor, expected: tuple[int, ...]) -> None:
        self.need(t.shape == expected, f"gives shape {list(expected)}, '{t.name}' has {list(t.shape)}")

    def clamp(self, clamp: Clamp) -> None:
        low, high = DType.INT8.range
        self.need(low <= clamp[0] <= clamp[1] <= high, f"has the clamp {clamp}")

    def multiplier(self, real: float, bound: int) -> None:
        """Requantizing values up to `bound` by `real` stays within 32 bits; TFLM shifts left before it multiplies."""
        self.need(isfinite(real) and real >= 0, f"has the multiplier {real}")
        shift = int(np.frexp(real)[1])
        self.need(
            shift <= 30 and bound << max(shift, 0) < _INT32,
            f"has the multiplier {real:g}, with which values up to {bound} overflow 32 bits",
        )


def _tensor(t: Tensor) -> None:
    if len(t.shape) > _MAX_RANK or any(n < 1 for n in t.shape):
        raise _error(f"tensor '{t.name}' has shape {list(t.shape)}")
    if t.bytes > MAX_TENSOR_BYTES:
        raise _error(f"tensor '{t.name}' of shape {list(t.shape)} is larger than {MAX_TENSOR_BYTES} bytes")
    if t.data is not None and (t.data.shape != t.shape or t.data.dtype != t.dtype.numpy):
        raise _error(f"tensor '{t.name}' has data of shape {list(t.data.shape)}, type {t.data.dtype}")
    if t.quant is None:
        return
    q = t.quant
    if not q.scales or len(q.scales) != len(q.zero_points):
        raise _error(f"tensor '{t.name}' has {len(q.scales)} scales and {len(q.zero_points)} zero points")
    if not all(isfinite(s) and s >= 0 for s in q.scales):
        raise _error(f"tensor '{t.name}' has a scale that is negative or not finite")
    if t.dtype is not DType.FLOAT32:
        low, high = t.dtype.range
        if not all(low <= z <= high for z in q.zero_points):
            raise _error(f"tensor '{t.name}' has a zero point outside {t.dtype.value}")


def _structure(graph: Graph) -> None:
    count = len(graph.tensors)
    for what, ids in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        if not ids or len(set(ids)) != len(ids) or not all(0 <= t < count for t in ids):
            raise _error(f"the graph's {what} are tensors {list(ids)}, of {count}")
    for t in graph.inputs:
        if graph.tensors[t].data is not None:
            raise _error(f"input '{graph.tensors[t].name}' is a constant")
    defined = [tensor.data is not None for tensor in graph.tensors]
    for t in graph.inputs:
        defined[t] = True
    for i, node in enumerate(graph.nodes):
        view = _View(graph, i, node)
        for t in node.inputs:
            view.need(t == ABSENT or 0 <= t < count, f"reads tensor {t}, of {count}")
            view.need(t == ABSENT or defined[t], f"reads '{graph.tensors[t].name}' before it is written")
        for t in node.outputs:
            view.need(0 <= t < count, f"writes tensor {t}, of {count}")
            view.need(not defined[t], f"writes '{graph.tensors[t].name}', which has its value already")
            defined[t] = True
    for t in graph.outputs:
        if not defined[t]:
            raise _error(f"nothing computes the output '{graph.tensors[t].name}'")


# --- layers with weights ---------------------------------------------------------------------------------------------


def _weights(v: _View, channels: int, axis: int) -> None:
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
    v.need(int(bound.max()) < _INT32, "has weights and bias with which accumulators overflow 32 bits")
    product = float(np.float32(x.q.scale)) / y.q.scale
    for i, scale in enumerate(w.q.scales):
        v.multiplier(product * scale, int(bound[i] if w.q.per_channel else bound.max()))


def _bias(v: _View, channels: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
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


def _window(v: _View, kernel: tuple[int, int], attrs: ConvAttrs | PoolAttrs, dilation: tuple[int, int]) -> None:
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


def _conv_2d(v: _View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    _window(v, (w.shape[1], w.shape[2]), attrs, attrs.dilation)
    v.need(x.shape[3] % w.shape[3] == 0, f"has {x.shape[3]} input channels, and weights for {w.shape[3]}")
    groups = x.shape[3] // w.shape[3]
    v.need(w.shape[0] % groups == 0, f"has {w.shape[0]} filters in {groups} groups")
    v.need(y.shape[3] == w.shape[0], f"has {w.shape[0]} filters, its output {y.shape[3]} channels")
    _weights(v, w.shape[0], 0)


def _depthwise_conv_2d(v: _View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4 and w.shape[0] == 1, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    _window(v, (w.shape[1], w.shape[2]), attrs, attrs.dilation)
    v.need(w.shape[3] % x.shape[3] == 0, f"has {x.shape[3]} input channels and {w.shape[3]} filters")
    v.need(y.shape[3] == w.shape[3], f"has {w.shape[3]} filters, its output {y.shape[3]} channels")
    _weights(v, w.shape[3], 3)


def _fully_connected(v: _View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 2, f"has weights of shape {list(w.shape)}")
    out, depth = w.shape
    v.need(x.elements % depth == 0, f"reads {x.elements} elements in rows of {depth}")
    fits = bool(y.shape) and y.shape[-1] == out and y.elements == x.elements // depth * out
    v.need(fits, f"gives {x.elements // depth} rows of {out}, '{y.name}' has shape {list(y.shape)}")
    v.clamp(v.attrs(FullyConnectedAttrs).clamp)
    _weights(v, out, 0)


# --- other arithmetic ------------------------------------------------------------------------------------------------


def _pool_2d(v: _View) -> None:
    attrs = v.attrs(PoolAttrs)
    _window(v, attrs.kernel, attrs, (1, 1))
    x, y, p, (height, width) = v.x(), v.y(), attrs.pads, attrs.kernel
    v.need(x.shape[3] == y.shape[3], "changes the number of channels")
    v.need(max(p.top, p.bottom) < height and max(p.left, p.right) < width, "has windows of nothing but padding")
    v.need(height * width * 128 < _INT32, f"has a kernel of {height} x {width}, with which sums overflow 32 bits")
    v.int8(x, y)
    v.same_quant(x, y)


def _mean(v: _View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(MeanAttrs)
    rank = len(x.shape)
    axes = attrs.axes
    v.need(bool(axes) and list(axes) == sorted(set(axes)) and 0 <= axes[0] <= axes[-1] < rank, f"has axes {list(axes)}")
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if attrs.keep_dims or i not in axes)
    v.shape(y, kept)
    v.int8(x, y)
    count = prod(x.shape[i] for i in axes)
    v.need(count * 255 < _INT32, f"averages {count} elements, with which sums overflow 32 bits")
    v.multiplier(x.q.scale / y.q.scale, count * 255)


def _broadcast(v: _View) -> None:
    a, b, y = v.x(), v.x(1), v.y()
    v.need(max(len(a.shape), len(b.shape)) <= 4, "has more than 4 dimensions")
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise v.error(f"cannot broadcast {list(a.shape)} with {list(b.shape)}") from None
    v.shape(y, tuple(int(n) for n in shape))
    v.int8(a, b, y)
    v.clamp(v.attrs(BinaryAttrs).clamp)


def _add(v: _View) -> None:
    _broadcast(v)
    a, b, y = v.x(), v.x(1), v.y()
    real = 2 * max(a.q.scale, b.q.scale) / ((1 << 20) * y.q.scale)
    v.need(real < 1, f"has an output scale {y.q.scale:g} too small for its inputs' ({a.q.scale:g}, {b.q.scale:g})")


def _mul(v: _View) -> None:
    _broadcast(v)
    v.multiplier(v.x().q.scale * v.x(1).q.scale / v.y().q.scale, 255 * 255)


def _softmax(v: _View) -> None:
    x, y, beta = v.x(), v.y(), v.attrs(SoftmaxAttrs).beta
    v.shape(y, x.shape)
    v.need(len(x.shape) >= 1, "reads a scalar")
    v.int8(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 256, -128), "must have an output of scale 1/256 and zero point -128")
    v.need(isfinite(beta) and beta * x.q.scale * (1 << 26) > 1, f"has beta {beta:g} and input scale {x.q.scale:g}")


def _logistic(v: _View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.int8(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 256, -128), "must have an output of scale 1/256 and zero point -128")
    v.need(2.0**-28 <= x.q.scale < 8, f"has an input of scale {x.q.scale:g}, outside 2^-28 to 8")


def _relu(v: _View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.int8(x, y)
    v.multiplier(x.q.scale / y.q.scale, 255)


def _relu6(v: _View) -> None:
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


def _quantize(v: _View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.need((x.dtype, y.dtype) in QUANTIZE_PAIRS, f"from {x.dtype.value} to {y.dtype.value} is not supported")
    scale = v.scaled(y)
    if x.dtype is not DType.FLOAT32:
        low, high = x.dtype.range
        v.multiplier(v.scaled(x) / scale, high - low)


def _dequantize(v: _View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    sound = x.dtype in (DType.INT8, DType.UINT8, DType.INT16) and y.dtype is DType.FLOAT32
    v.need(sound, f"from {x.dtype.value} to {y.dtype.value} is not supported")
    v.scaled(x)


# --- moving bytes ----------------------------------------------------------------------------------------------------


def _pad(v: _View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(PadAttrs)
    v.need(len(x.shape) <= 4 and len(attrs.paddings) == len(x.shape), f"pads {list(x.shape)} by {attrs.paddings}")
    v.need(all(before >= 0 and after >= 0 for before, after in attrs.paddings), "has a negative padding")
    v.shape(y, tuple(n + before + after for n, (before, after) in zip(x.shape, attrs.paddings, strict=True)))
    v.int8(x, y)
    v.same_quant(x, y)
    v.clamp((attrs.value, attrs.value))


def _along(v: _View, whole: Tensor, parts: list[Tensor], axis: int) -> None:
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


def _concatenation(v: _View) -> None:
    attrs = v.attrs(ConcatAttrs)
    parts = [v.x(i) for i in range(len(v.node.inputs))]
    _along(v, v.y(), parts, attrs.axis)
    v.same_quant(v.y(), *parts, tolerance=0.0)
    v.clamp(attrs.clamp)


def _split(v: _View) -> None:
    _along(v, v.x(), [v.y(i) for i in range(len(v.node.outputs))], v.attrs(SplitAttrs).axis)


def _strided_slice(v: _View) -> None:
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


def _reshape(v: _View) -> None:
    x, y = v.x(), v.y()
    v.need(x.elements == y.elements, f"makes {list(y.shape)} of {list(x.shape)}")
    v.need(x.dtype is y.dtype, f"makes {y.dtype.value} of {x.dtype.value}")
    if x.quant is not None and y.quant is not None and x.dtype is not DType.FLOAT32:
        v.same_quant(x, y)


def _variable(v: _View) -> None:
    state = v.attrs(VariableAttrs).state
    v.need(0 <= state < len(v.graph.states), f"refers to state {state}, of {len(v.graph.states)}")
    held, t = v.graph.states[state], v.x() if v.node.inputs else v.y()
    v.need(t.dtype is held.dtype, f"has '{t.name}' of type {t.dtype.value}, the state is {held.dtype.value}")
    v.shape(t, held.initial.shape)


_WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
_ONE = (1, 1)
_NONE = (0, 0)

RULES: dict[str, tuple[type, tuple[int, int], tuple[int, int], Callable[[_View], None]]] = {
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
    "CONCATENATION": (ConcatAttrs, (1, 10), _ONE, _concatenation),
    "SPLIT": (SplitAttrs, _ONE, (1, 1_000), _split),
    "SPLIT_V": (SplitAttrs, _ONE, (1, 1_000), _split),
    "STRIDED_SLICE": (SliceAttrs, _ONE, _ONE, _strided_slice),
    "READ_VARIABLE": (VariableAttrs, _NONE, _ONE, _variable),
    "ASSIGN_VARIABLE": (VariableAttrs, _ONE, _NONE, _variable),
}
"""Operator -> its attributes, numbers of inputs and of outputs (least, most), and the rule it keeps."""
