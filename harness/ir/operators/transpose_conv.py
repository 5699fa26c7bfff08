"""TRANSPOSE_CONV: every input pixel adds its kernel to the output. Inputs: x NHWC, weights OHWI, bias or absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from harness.ir.graph import ABSENT, Attrs, Graph, Node, Tensor
from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip
from harness.ir.operators.operator import EITHER_ROUNDING, INT8_WEIGHTS, INT16_WEIGHTS, Operator
from harness.ir.operators.tflite import (
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    activation_number,
    damaged,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.ir.operators.weights import BIAS, bias_of, kernel_of, requantized, verify_weights
from harness.ir.window import same_pads
from harness.quantization.types import Array, Clamp, DType

_TYPES = (*INT8_WEIGHTS, INT16_WEIGHTS[0], *FLOAT_WEIGHTS)


@dataclass(frozen=True)
class TransposeConvAttrs(Attrs):
    """TRANSPOSE_CONV: the output's pixel (y, x) is at (y + before[0], x + before[1]) of what the kernels add up to.

    Attributes:
        stride: output pixels between two input pixels, by rows and columns.
        before: rows and columns that are cut off at the top and left.
        clamp: of the output.
        same: whether the file says SAME: for writing it again.
    """

    stride: tuple[int, int]
    before: tuple[int, int]
    clamp: Clamp
    same: bool


def _before(y: Tensor, kernel: tuple[int, int], stride: tuple[int, int], same: bool) -> tuple[int, int]:
    """Padding of the convolution that this is the transpose of: from the output's size."""
    if not same:
        return 0, 0
    pads = same_pads((y.shape[1], y.shape[2]), kernel, stride, (1, 1))
    return pads.top, pads.left


def _verify(v: View) -> None:
    x, w, y, attrs = v.x(), v.x(1), v.y(), v.attrs(TransposeConvAttrs)
    v.need(len(x.shape) == len(w.shape) == len(y.shape) == 4, f"has shapes {list(x.shape)} and {list(w.shape)}")
    v.need(x.shape[3] == w.shape[3] and y.shape[3] == w.shape[0], f"has weights of shape {list(w.shape)}")
    v.need(x.shape[0] == y.shape[0], "changes the number of images")
    before = _before(y, kernel_of(w), attrs.stride, attrs.same) if min(attrs.stride) >= 1 else None
    v.need(attrs.before == before, f"is cut at {attrs.before}")
    for size, out, s, k in zip(x.shape[1:3], y.shape[1:3], attrs.stride, kernel_of(w), strict=True):
        wanted = -(-out // s) if attrs.same else -(-(out - k + 1) // s)
        v.need(size == wanted, f"makes {out} rows or columns of {size} by a stride of {s}")
    v.clamp(attrs.clamp)
    verify_weights(v, w.shape[0], 0, _TYPES)


def _sums(x: Any, w: Any, op: Operands, zero: Any) -> Any:
    """Sums in the order of input rows, columns and channels: [batch, height, width, output channel]."""
    attrs = cast(TransposeConvAttrs, op.attrs)
    (sy, sx), (top, left) = attrs.stride, attrs.before
    _, kh, kw, depth = w.shape
    batch, height, width, channels = op.y.shape
    tall, wide = (x.shape[1] - 1) * sy + kh, (x.shape[2] - 1) * sx + kw
    whole = np.full((batch, max(tall, top + height), max(wide, left + width), channels), zero)
    for iy in range(x.shape[1]):
        for ix in range(x.shape[2]):
            place = whole[:, iy * sy : iy * sy + kh, ix * sx : ix * sx + kw]
            for i in range(depth):
                place += x[:, iy, ix, i][:, None, None, None] * w[:, :, :, i].transpose(1, 2, 0)
    return whole[:, top : top + height, left : left + width]


def transpose_conv(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """TRANSPOSE_CONV. Source: reference/transpose_conv.h and integer_ops/transpose_conv.h."""
    attrs = cast(TransposeConvAttrs, op.attrs)
    if op.y.dtype is DType.FLOAT32:
        total = _sums(array(inputs, 0), array(inputs, 1), op, np.float32(0))
        bias = inputs[2] if len(inputs) > 2 else None
        return (clip(total if bias is None else total + bias, attrs.clamp, op.y),)
    total = _sums(centred(inputs, 0, op), array(inputs, 1).astype(np.int64), op, np.int64(0))
    return (requantized(total + bias_of(inputs), attrs.clamp, op),)


def _read(op: Reading) -> Read:
    op.count(3, 4)
    if op.constant(0, "output shape") != op.output().shape:
        raise damaged(f"{op.place}: TRANSPOSE_CONV to a shape that is not its output's")
    bias = op.inputs[3] if len(op.inputs) == 4 else ABSENT
    for what, t in (("weights", op.inputs[1]), ("bias", bias)):
        if t != ABSENT and not op.has_data(t):
            raise Unsupported(f"{what} computed at run time")
    stride, w = op.window(8, 6, "stride"), op.input(1)
    same = op.choice(4, ("SAME", "VALID"), "padding") == "SAME"
    if len(op.output().shape) != 4 or len(w.shape) != 4:
        raise damaged(f"{op.place}: TRANSPOSE_CONV of weights of shape {list(w.shape)}")
    before = _before(op.output(), kernel_of(w), stride, same)
    return (*op.ids(2, 1), bias), TransposeConvAttrs(stride, before, op.clamp(10), same)


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(TransposeConvAttrs, node.attrs)
    y = to.graph.tensors[node.outputs[0]]
    fields = {
        "Padding": 0 if attrs.same else 1,
        "StrideH": attrs.stride[0],
        "StrideW": attrs.stride[1],
        "FusedActivationFunction": activation_number(attrs.clamp, y),
    }
    bias = tuple(t for t in node.inputs[2:] if t != ABSENT)
    inputs = (to.constant("output_shape", y.shape), node.inputs[1], node.inputs[0], *bias)
    return OperatorDraft(node.op, inputs, node.outputs, "TransposeConv", fields)


def _macs(graph: Graph, node: Node) -> int:
    x, w = (graph.tensors[t] for t in node.inputs[:2])
    return x.elements * w.elements // w.shape[3]


OPERATORS = (
    Operator(
        "TRANSPOSE_CONV",
        _verify,
        transpose_conv,
        attrs=TransposeConvAttrs,
        inputs=(2, 3),
        optional=BIAS,
        types=_TYPES,
        traits=frozenset({Trait.WEIGHTS}),
        tflite=TfliteForm(67, _write, _read, options=49, version=3, operands=range(1), data=(2, 1, 3)),
        channel_axis=0,
        macs=_macs,
        roundings=EITHER_ROUNDING,
    ),
)
