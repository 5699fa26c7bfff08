"""Every operator in plain numpy: the executable specification of the int8 arithmetic.

A function takes the input arrays and an Operands record (tensors and attributes) and gives the output arrays. Results
equal TensorFlow Lite Micro's bit for bit (tests/host/test_oracle_tflm.py), so a kernel is right when it equals these.
Accumulators are int32 and wrap, which no trained model does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Attrs as AnyAttrs
from harness.ir.graph import (
    BinaryAttrs,
    ConcatAttrs,
    ConvAttrs,
    FullyConnectedAttrs,
    MeanAttrs,
    PadAttrs,
    Pads,
    PoolAttrs,
    SliceAttrs,
    SoftmaxAttrs,
    SplitAttrs,
    TableAttrs,
    Tensor,
)
from harness.quantization import params
from harness.quantization.fixedpoint import (
    Ints,
    high_mul,
    multiply_by_quantized_multiplier,
    reciprocal,
    rounding_shift_right,
    wrap32,
)
from harness.quantization.requantize import Requantize, tflm
from harness.quantization.types import Array, Clamp, DType


@dataclass(frozen=True)
class Operands:
    """What an operator knows besides its input arrays.

    Attributes:
        ins: input tensors, None for an optional one that is not there.
        outs: output tensors.
        requantize: how a layer with weights scales its sums, as TFLM does unless a test asks for another.
    """

    ins: Sequence[Tensor | None]
    outs: Sequence[Tensor]
    attrs: AnyAttrs
    requantize: Requantize = tflm

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.input(0)

    @property
    def y(self) -> Tensor:
        """The first output."""
        return self.outs[0]

    def input(self, index: int) -> Tensor:
        """An input that must be there.

        Raises:
            GraphError: it is not.
        """
        tensor = self.ins[index] if index < len(self.ins) else None
        if tensor is None:
            raise GraphError(f"input {index} of what writes '{self.y.name}' is missing", hint="verify the graph")
        return tensor


Inputs: TypeAlias = Sequence[Array | None]
Op: TypeAlias = Callable[[Inputs, Operands], tuple[Array, ...]]


def _array(inputs: Inputs, index: int) -> Array:
    value = inputs[index]
    assert value is not None
    return value


def _centred(inputs: Inputs, index: int, op: Operands) -> Ints:
    return _array(inputs, index).astype(np.int64) - op.input(index).q.zero_point


def _clip(values: Ints, clamp: Clamp, y: Tensor) -> Array:
    clipped: Array = np.clip(values, *clamp).astype(y.dtype.numpy).reshape(y.shape)
    return clipped


def _requantize_channels(acc: Ints, clamp: Clamp, op: Operands) -> Array:
    """Accumulators with channels last to the output: scale per channel, add zero point, clamp."""
    return _clip(op.requantize(wrap32(acc), op.x, op.input(1), op.y) + op.y.q.zero_point, clamp, op.y)


def _padded(x: Ints, pads: Pads, kernel: tuple[int, int], op: Operands, stride: tuple[int, int], fill: int) -> Ints:
    """NHWC x with its padding, and with whatever the last window reaches beyond it."""
    need = [(o - 1) * s + k for o, s, k in zip(op.y.shape[1:3], stride, kernel, strict=True)]
    bottom = max(pads.bottom, need[0] - x.shape[1] - pads.top, 0)
    right = max(pads.right, need[1] - x.shape[2] - pads.left, 0)
    return np.pad(x, ((0, 0), (pads.top, bottom), (pads.left, right), (0, 0)), constant_values=fill)


def _tap(x: Ints, dy: int, dx: int, stride: tuple[int, int], out: tuple[int, ...]) -> Ints:
    """The elements that tap (dy, dx) of a kernel meets: [batch, out height, out width, channels]."""
    height, width = out[1:3]
    return x[:, dy : dy + (height - 1) * stride[0] + 1 : stride[0], dx : dx + (width - 1) * stride[1] + 1 : stride[1]]


def conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """CONV_2D, with groups when the weights have fewer input channels than x."""
    attrs = cast(ConvAttrs, op.attrs)
    w = _array(inputs, 1)
    channels, kh, kw, depth = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = _padded(_centred(inputs, 0, op), attrs.pads, reach, op, attrs.stride, 0)
    groups = x.shape[3] // depth
    taps = [
        _tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape)
        for dy in range(kh)
        for dx in range(kw)
    ]
    # In float64 the sums are exact (below 2**53) and the product runs in BLAS.
    columns = np.stack(taps, axis=3).astype(np.float64)
    batch, height, width = columns.shape[:3]
    columns = columns.reshape(batch * height * width, kh * kw, groups, depth)
    weights = w.reshape(groups, channels // groups, kh * kw, depth).astype(np.float64)
    sums = [
        columns[:, :, g].reshape(-1, kh * kw * depth) @ weights[g].reshape(-1, kh * kw * depth).T for g in range(groups)
    ]
    acc = np.concatenate(sums, axis=1).astype(np.int64).reshape(batch, height, width, channels)
    return (_requantize_channels(acc + _bias(inputs), attrs.clamp, op),)


def depthwise_conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DEPTHWISE_CONV_2D: output channel c * multiplier + m comes from input channel c."""
    attrs = cast(ConvAttrs, op.attrs)
    w = _array(inputs, 1).astype(np.int64)
    _, kh, kw, channels = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = _padded(_centred(inputs, 0, op), attrs.pads, reach, op, attrs.stride, 0)
    x = np.repeat(x, channels // x.shape[3], axis=3)
    acc = np.zeros(op.y.shape, np.int64)
    for dy in range(kh):
        for dx in range(kw):
            acc += _tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape) * w[0, dy, dx]
    return (_requantize_channels(acc + _bias(inputs), attrs.clamp, op),)


def _bias(inputs: Inputs) -> Ints | int:
    bias = inputs[2] if len(inputs) > 2 else None
    return 0 if bias is None else bias.astype(np.int64)


def fully_connected(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """FULLY_CONNECTED over x read as [elements / inputs, inputs]."""
    attrs = cast(FullyConnectedAttrs, op.attrs)
    w = _array(inputs, 1)
    x = _centred(inputs, 0, op).reshape(-1, w.shape[1])
    acc = (x.astype(np.float64) @ w.T.astype(np.float64)).astype(np.int64) + _bias(inputs)
    return (_requantize_channels(acc, attrs.clamp, op),)


def average_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """AVERAGE_POOL_2D: sum over the elements inside the image, divided by their number, ties away from zero."""
    attrs = cast(PoolAttrs, op.attrs)
    x = _array(inputs, 0).astype(np.int64)
    padded = _padded(x, attrs.pads, attrs.kernel, op, attrs.stride, 0)
    inside = _padded(np.ones_like(x), attrs.pads, attrs.kernel, op, attrs.stride, 0)
    total, count = np.zeros(op.y.shape, np.int64), np.zeros(op.y.shape, np.int64)
    for dy in range(attrs.kernel[0]):
        for dx in range(attrs.kernel[1]):
            total += _tap(padded, dy, dx, attrs.stride, op.y.shape)
            count += _tap(inside, dy, dx, attrs.stride, op.y.shape)
    if not count.all():
        raise GraphError(
            f"AVERAGE_POOL_2D into '{op.y.name}' has windows that lie in the padding", hint="use less padding"
        )
    magnitude = (np.abs(total) + count // 2) // count
    return (_clip(np.sign(total) * magnitude, attrs.clamp, op.y),)


def max_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MAX_POOL_2D over the elements inside the image."""
    attrs = cast(PoolAttrs, op.attrs)
    lowest = op.x.dtype.range[0]
    x = _padded(_array(inputs, 0).astype(np.int64), attrs.pads, attrs.kernel, op, attrs.stride, lowest)
    best = np.full(op.y.shape, lowest, np.int64)
    for dy in range(attrs.kernel[0]):
        for dx in range(attrs.kernel[1]):
            best = np.maximum(best, _tap(x, dy, dx, attrs.stride, op.y.shape))
    return (_clip(best, attrs.clamp, op.y),)


def mean(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MEAN: the sum of x - zero point, times the input scale over (count * output scale)."""
    axes = cast(MeanAttrs, op.attrs).axes
    count = int(np.prod([op.x.shape[a] for a in axes]))
    total: Ints = _centred(inputs, 0, op).sum(axis=axes)
    factor = params.mean_params(op.x, op.y, count)
    scaled = multiply_by_quantized_multiplier(wrap32(total), factor.m, factor.shift) + op.y.q.zero_point
    return (_clip(scaled, op.y.dtype.range, op.y),)


def add(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """ADD with broadcasting: both operands scaled to 20 more bits, summed, scaled back."""
    factors = params.add_params(op.x, op.input(1), op.y)
    a = multiply_by_quantized_multiplier(_centred(inputs, 0, op) << factors.left_shift, factors.a.m, factors.a.shift)
    b = multiply_by_quantized_multiplier(_centred(inputs, 1, op) << factors.left_shift, factors.b.m, factors.b.shift)
    total = multiply_by_quantized_multiplier(a + b, factors.y.m, factors.y.shift) + op.y.q.zero_point
    return (_clip(total, cast(BinaryAttrs, op.attrs).clamp, op.y),)


def mul(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MUL with broadcasting."""
    factor = params.mul_params(op.x, op.input(1), op.y)
    product = _centred(inputs, 0, op) * _centred(inputs, 1, op)
    scaled = multiply_by_quantized_multiplier(product, factor.m, factor.shift) + op.y.q.zero_point
    return (_clip(scaled, cast(BinaryAttrs, op.attrs).clamp, op.y),)


def pad(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """PAD and PADV2."""
    attrs = cast(PadAttrs, op.attrs)
    return (np.pad(_array(inputs, 0), attrs.paddings, constant_values=attrs.value),)


def reshape(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape."""
    return (_array(inputs, 0).reshape(op.y.shape),)


def softmax(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SOFTMAX over the last dimension; output scale 1/256, zero point -128. Source: TFLM reference softmax.h."""
    x = _array(inputs, 0).astype(np.int64)
    table = params.softmax_exp_table(op.x, cast(SoftmaxAttrs, op.attrs).beta)
    exps = table[x.max(axis=-1, keepdims=True) - x].astype(np.int64)
    total = rounding_shift_right(exps, params.SOFTMAX_SUM_INTEGER_BITS).sum(axis=-1, keepdims=True)
    scale, bits = reciprocal(total, params.SOFTMAX_SUM_INTEGER_BITS)
    return (_clip(rounding_shift_right(high_mul(scale, exps), bits + 31 - 8) - 128, (-128, 127), op.y),)


def logistic(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """LOGISTIC; output scale 1/256, zero point -128."""
    return (params.logistic_values(_array(inputs, 0), op.x),)


def relu(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU: requantizes, then clamps below at the output's zero point."""
    return (params.requantize_values(_array(inputs, 0), op.x, op.y, params.relu_clamp(op.y)),)


def relu6(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU6: clamps in the input's units and copies."""
    return (_clip(_array(inputs, 0).astype(np.int64), params.relu6_clamp(op.x), op.y),)


def quantize(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """QUANTIZE: float32 to integers, or one integer quantization to another."""
    x = _array(inputs, 0)
    if op.x.dtype is DType.FLOAT32:
        return (params.quantize_values(x, op.y),)
    return (params.requantize_values(x, op.x, op.y),)


def table(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """TABLE: the result of every byte, looked up."""
    values = np.array(cast(TableAttrs, op.attrs).values, op.y.dtype.numpy)
    return (values[_array(inputs, 0).astype(np.int64) - op.x.dtype.range[0]],)


def dequantize(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DEQUANTIZE: integers to float32."""
    return (params.dequantize_values(_array(inputs, 0), op.x),)


def concatenation(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """CONCATENATION: copies; TFLM does not requantize here, so all scales must be the output's."""
    attrs = cast(ConcatAttrs, op.attrs)
    joined = np.concatenate([_array(inputs, i) for i in range(len(inputs))], axis=attrs.axis)
    if op.y.dtype is DType.FLOAT32:
        return (joined,)
    return (np.clip(joined, *attrs.clamp).astype(op.y.dtype.numpy),)


def split(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SPLIT and SPLIT_V."""
    axis = cast(SplitAttrs, op.attrs).axis
    ends = np.cumsum([tensor.shape[axis] for tensor in op.outs])[:-1]
    return tuple(np.split(_array(inputs, 0), ends, axis=axis))


def strided_slice(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """STRIDED_SLICE, resolved to begin, stride and count per dimension."""
    attrs = cast(SliceAttrs, op.attrs)
    index = np.ix_(*(b + s * np.arange(n) for b, s, n in zip(attrs.begin, attrs.strides, attrs.counts, strict=True)))
    return (_array(inputs, 0)[index].reshape(op.y.shape),)


OPS: Mapping[str, Op] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "AVERAGE_POOL_2D": average_pool_2d,
    "MAX_POOL_2D": max_pool_2d,
    "MEAN": mean,
    "ADD": add,
    "MUL": mul,
    "PAD": pad,
    "PADV2": pad,
    "RESHAPE": reshape,
    "SQUEEZE": reshape,
    "EXPAND_DIMS": reshape,
    "SOFTMAX": softmax,
    "LOGISTIC": logistic,
    "RELU": relu,
    "RELU6": relu6,
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
    "TABLE": table,
    "CONCATENATION": concatenation,
    "SPLIT": split,
    "SPLIT_V": split,
    "STRIDED_SLICE": strided_slice,
}
"""All operators without side effects; READ_VARIABLE and ASSIGN_VARIABLE are in execute.py."""
