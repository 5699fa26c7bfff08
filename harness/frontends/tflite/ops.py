"""How each operator of a .tflite file becomes a Node: one reader an operator, one line in READERS.

A reader takes constant operands (axes, shapes, paddings) out of the inputs and resolves them into attributes. What an
operator asks for that tinyhil does not compile is raised as Unsupported and collected by the caller; what contradicts
itself is a ModelFileError. Rules are TFLM's (tensorflow/lite/micro/kernels), which is the reference of every result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from harness.errors import ModelFileError
from harness.frontends.tflite.flatbuffer import damaged
from harness.frontends.tflite.operator import ACTIVATIONS, MAX_WINDOW, Operator, Unsupported
from harness.ir.graph import (
    ABSENT,
    Attrs,
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
)
from harness.quantization.types import DType

_MAX_CONCAT_INPUTS = 10  # TFLM, concatenation.cc
_MAX_SLICE_RANK = 4  # TFLM, strided_slice_common.cc

Read: TypeAlias = tuple[tuple[int, ...], Attrs]
"""Data inputs (tensor ids of the file, or ABSENT) and attributes of the node."""


def _weighted(op: Operator) -> tuple[int, ...]:
    """Inputs of a convolution or fully connected layer: x, weights, bias or ABSENT."""
    op.count(2, 3)
    bias = op.file.inputs[2] if len(op.file.inputs) == 3 else ABSENT
    for what, t in (("weights", op.file.inputs[1]), ("bias", bias)):
        if t != ABSENT and op.tensors[t].data is None:
            raise Unsupported(f"{what} computed at run time")
    return (*op.ids(0, 1), bias)


def _conv_2d(op: Operator) -> Read:
    inputs = _weighted(op)
    kernel = _kernel(op)
    stride = op.window(8, 6, "stride")
    dilation = op.window(14, 12, "dilation", default=1)
    return inputs, ConvAttrs(stride, dilation, op.pads(kernel, stride, dilation), op.clamp(10))


def _depthwise_conv_2d(op: Operator) -> Read:
    inputs = _weighted(op)
    if len(op.file.inputs) == 3 and inputs[2] == ABSENT:
        raise Unsupported("a third input of -1 (TFLM reads it; leave the bias out)")
    kernel = _kernel(op)
    stride = op.window(8, 6, "stride")
    dilation = op.window(16, 14, "dilation", default=1)
    pads = op.pads(kernel, stride, dilation)
    channels, outputs = op.input(0).shape[3], op.input(1).shape[3]
    multiplier = op.file.options.integer(10)
    if multiplier * channels != outputs:
        raise ModelFileError(
            f"{op.file.place}: depth multiplier {multiplier} of {channels} channels contradicts {outputs} filters",
            hint="TFLM computes this from the multiplier, TensorFlow Lite from the filters: convert the model again",
        )
    return inputs, ConvAttrs(stride, dilation, pads, op.clamp(12))


def _kernel(op: Operator) -> tuple[int, int]:
    shape = op.input(1).shape
    if len(shape) != 4 or max(shape) > MAX_WINDOW:
        raise damaged(f"{op.file.place}: weights of shape {list(shape)} for {op.name}")
    return shape[1], shape[2]


def _fully_connected(op: Operator) -> Read:
    inputs = _weighted(op)
    if op.choice(6, ("DEFAULT", "SHUFFLED4x16INT8"), "weights format") != "DEFAULT":
        raise Unsupported("shuffled weights")
    return inputs, FullyConnectedAttrs(op.clamp(4), keep_num_dims=op.file.options.flag(8))


def _pool_2d(op: Operator) -> Read:
    op.count(1)
    stride = op.window(8, 6, "stride")
    kernel = op.window(12, 10, "kernel")
    return op.ids(0), PoolAttrs(kernel, stride, op.pads(kernel, stride), op.clamp(14))


def _mean(op: Operator) -> Read:
    op.count(2)
    rank = len(op.input(0).shape)
    axes = sorted({op.axis(a, rank) for a in op.constant(1, "axes")})
    return op.ids(0), MeanAttrs(tuple(axes), op.file.options.flag(4))


def _binary(op: Operator) -> Read:
    op.count(2)
    return op.ids(0, 1), BinaryAttrs(op.clamp(4))


def _pad(op: Operator) -> Read:
    op.count(2, 3)
    flat = op.constant(1, "paddings")
    if len(flat) != 2 * len(op.input(0).shape) or any(not 0 <= n <= MAX_WINDOW for n in flat):
        raise damaged(f"{op.file.place}: paddings {list(flat)} of a tensor of shape {list(op.input(0).shape)}")
    pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
    if len(op.file.inputs) == 2:
        return op.ids(0), PadAttrs(pairs, op.output().q.zero_point)
    value, y = op.input(2), op.output()
    if value.data is None:
        raise Unsupported("padding value computed at run time")
    if value.elements != 1 or value.dtype is not y.dtype:
        raise damaged(f"{op.file.place}: padding value of shape {list(value.shape)} and type {value.dtype.value}")
    if (value.q.scale, value.q.zero_point) != (y.q.scale, y.q.zero_point):
        raise Unsupported("padding value quantized otherwise than the output")
    return op.ids(0), PadAttrs(pairs, int(np.asarray(value.data).ravel()[0]))


def _softmax(op: Operator) -> Read:
    op.count(1)
    return op.ids(0), SoftmaxAttrs(op.file.options.real(4))


def _concatenation(op: Operator) -> Read:
    op.count(1, 1_000)
    if len(op.file.inputs) > _MAX_CONCAT_INPUTS:
        raise Unsupported(f"more than {_MAX_CONCAT_INPUTS} inputs")
    if op.choice(6, ACTIVATIONS, "activation") != "NONE":
        raise Unsupported("fused activation")
    axis = op.axis(op.file.options.integer(4), len(op.output().shape))
    return op.ids(*range(len(op.file.inputs))), ConcatAttrs(axis, op.clamp(6))


def _split(op: Operator) -> Read:
    op.count(2, outputs=len(op.file.outputs))
    axes = op.constant(0, "axis")
    return _split_at(op, 1, axes, ())


def _split_v(op: Operator) -> Read:
    op.count(3, outputs=len(op.file.outputs))
    return _split_at(op, 0, op.constant(2, "axis"), op.constant(1, "sizes"))


def _split_at(op: Operator, data: int, axes: tuple[int, ...], sizes: tuple[int, ...]) -> Read:
    if len(axes) != 1 or not op.file.outputs:
        raise damaged(f"{op.file.place}: {op.name} with axes {list(axes)} and {len(op.file.outputs)} outputs")
    axis = op.axis(axes[0], len(op.input(data).shape))
    shapes = [op.output(i).shape for i in range(len(op.file.outputs))]
    found = tuple(s[axis] if axis < len(s) else 0 for s in shapes)
    if sizes and not _resolves_to(sizes, found):
        raise damaged(f"{op.file.place}: sizes {list(sizes)} of {op.name} contradict its outputs")
    return op.ids(data), SplitAttrs(axis)


def _reshape(op: Operator) -> Read:
    op.count(1, 2)
    if len(op.file.inputs) == 2 and op.file.inputs[1] != ABSENT:
        wanted = op.constant(1, "shape")
    else:
        wanted = op.file.options.integers(4, "new shape", 8)
    shape = op.output().shape
    # TFLM goes by the output tensor alone; [0] is how old converters wrote a scalar.
    if wanted and wanted != (0,) and not _resolves_to(wanted, shape):
        raise damaged(f"{op.file.place}: RESHAPE to {list(wanted)}, but its output has shape {list(shape)}")
    return op.ids(0), NoAttrs()


def _resolves_to(wanted: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a shape or list of sizes, with at most one -1 to be computed, can mean `shape`."""
    if len(wanted) != len(shape) or wanted.count(-1) > 1:
        return False
    return all(w in (-1, s) for w, s in zip(wanted, shape, strict=True))


def _squeeze(op: Operator) -> Read:
    op.count(1)
    return op.ids(0), NoAttrs()


def _expand_dims(op: Operator) -> Read:
    op.count(2)
    op.constant(1, "axis")
    return op.ids(0), NoAttrs()


def _unary(op: Operator) -> Read:
    op.count(1)
    return op.ids(0), NoAttrs()


def _strided_slice(op: Operator) -> Read:
    op.count(4)
    x, options = op.input(0), op.file.options
    rank = len(x.shape)
    if rank > _MAX_SLICE_RANK:
        raise Unsupported(f"more than {_MAX_SLICE_RANK} dimensions")
    for field, what in ((8, "ellipsis_mask"), (10, "new_axis_mask")):
        if options.integer(field):
            raise Unsupported(what)
    if options.flag(14):
        raise Unsupported("end as an offset from begin")
    begin, end, strides = (op.constant(i, what) for i, what in ((1, "begin"), (2, "end"), (3, "strides")))
    if not len(begin) == len(end) == len(strides) == rank:
        raise Unsupported("fewer indices than dimensions")
    masks = options.integer(4), options.integer(6), options.integer(12)
    first, counts, shape = [], [], []
    for i, n in enumerate(x.shape):
        from_start, to_end, shrink = (bool(m >> i & 1) for m in masks)
        start, count = _slice_axis(op, n, (begin[i], end[i], strides[i]), from_start, to_end, shrink)
        first.append(start)
        counts.append(count)
        if not shrink:
            shape.append(count)
    if tuple(shape) != op.output().shape:
        raise damaged(f"{op.file.place}: STRIDED_SLICE gives {shape}, its output has shape {list(op.output().shape)}")
    return op.ids(0), SliceAttrs(tuple(first), strides, tuple(counts))


def _slice_axis(
    op: Operator, n: int, bounds: tuple[int, int, int], from_start: bool, to_end: bool, shrink: bool
) -> tuple[int, int]:
    """First index and number of elements along one dimension of n (TFLM, StartForAxis and StopForAxis)."""
    begin, end, stride = bounds
    if shrink and stride < 0:
        raise Unsupported("shrink_axis_mask along a negative stride")
    if stride == 0:
        raise damaged(f"{op.file.place}: stride 0 of STRIDED_SLICE")
    low, high = (0, n) if stride > 0 else (-1, n - 1)
    start = min(max(begin + n if begin < 0 else begin, low), high)
    if from_start:
        start = 0 if stride > 0 else n - 1
    stop = min(max(end + n if end < 0 else end, low), high)
    if to_end:
        stop = n if stride > 0 else -1
    count = 1 if shrink else max(-(-(stop - start) // stride), 0)
    if count == 0 or not 0 <= start < n:
        raise damaged(f"{op.file.place}: STRIDED_SLICE [{begin}:{end}:{stride}] of {n} elements is empty")
    return start, count


READERS: dict[int, tuple[str, Callable[[Operator], Read]]] = {
    0: ("ADD", _binary),
    1: ("AVERAGE_POOL_2D", _pool_2d),
    2: ("CONCATENATION", _concatenation),
    3: ("CONV_2D", _conv_2d),
    4: ("DEPTHWISE_CONV_2D", _depthwise_conv_2d),
    6: ("DEQUANTIZE", _unary),
    9: ("FULLY_CONNECTED", _fully_connected),
    14: ("LOGISTIC", _unary),
    17: ("MAX_POOL_2D", _pool_2d),
    18: ("MUL", _binary),
    19: ("RELU", _unary),
    21: ("RELU6", _unary),
    22: ("RESHAPE", _reshape),
    25: ("SOFTMAX", _softmax),
    34: ("PAD", _pad),
    40: ("MEAN", _mean),
    43: ("SQUEEZE", _squeeze),
    45: ("STRIDED_SLICE", _strided_slice),
    49: ("SPLIT", _split),
    60: ("PADV2", _pad),
    70: ("EXPAND_DIMS", _expand_dims),
    102: ("SPLIT_V", _split_v),
    114: ("QUANTIZE", _unary),
}
"""BuiltinOperator code -> (name, reader). Variables are read by tflite_states."""

OPTIONS: dict[str, int] = {
    "ADD": 11,
    "AVERAGE_POOL_2D": 5,
    "CONCATENATION": 10,
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 8,
    "MAX_POOL_2D": 5,
    "MUL": 21,
    "RESHAPE": 17,
    "SOFTMAX": 9,
    "MEAN": 27,
    "STRIDED_SLICE": 32,
}
"""BuiltinOptions union member of the operators whose options are read."""

DATA_TYPES: dict[str, tuple[frozenset[DType], frozenset[DType]]] = {
    "QUANTIZE": (
        frozenset((DType.FLOAT32, DType.INT8, DType.UINT8, DType.INT16)),
        frozenset((DType.INT8, DType.UINT8, DType.INT16)),
    ),
    "DEQUANTIZE": (frozenset((DType.INT8, DType.UINT8, DType.INT16)), frozenset((DType.FLOAT32,))),
    "RESHAPE": (frozenset(DType), frozenset(DType)),
    "SQUEEZE": (frozenset(DType), frozenset(DType)),
    "EXPAND_DIMS": (frozenset(DType), frozenset(DType)),
}
"""Element types of data inputs and outputs, where they are not int8 alone."""
