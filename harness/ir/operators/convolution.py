"""CONV_2D and DEPTHWISE_CONV_2D. Inputs: x NHWC, weights OHWI or 1HWO, bias or absent."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.errors import ModelFileError
from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators import float_layers
from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.operands import Inputs, Operands, array, centred
from harness.ir.operators.operator import EITHER_ROUNDING, INT8_WEIGHTS, INT16_WEIGHTS, Operator
from harness.ir.operators.tflite import (
    MAX_WINDOW,
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
from harness.ir.operators.weights import BIAS, bias_of, kernel_of, read_weighted, requantized, verify_weights
from harness.ir.operators.windows import padded, padding_number, tap, verify_window
from harness.ir.window import ConvAttrs
from harness.quantization.types import Array, DType

_TYPES = (*INT8_WEIGHTS, *INT16_WEIGHTS, *FLOAT_WEIGHTS)
_DEPTHWISE_TYPES = (*INT8_WEIGHTS, INT16_WEIGHTS[0], *FLOAT_WEIGHTS)  # TFLM takes an int32 bias of int16 for an int64

# --- CONV_2D ---------------------------------------------------------------------------------------------------------


def _verify_conv_2d(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    verify_window(v, kernel_of(w), attrs)
    v.need(x.shape[3] % w.shape[3] == 0, f"has {x.shape[3]} input channels, and weights for {w.shape[3]}")
    groups = x.shape[3] // w.shape[3]
    v.need(w.shape[0] % groups == 0, f"has {w.shape[0]} filters in {groups} groups")
    v.need(y.shape[3] == w.shape[0], f"has {w.shape[0]} filters, its output {y.shape[3]} channels")
    verify_weights(v, w.shape[0], 0, _TYPES)


def conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """CONV_2D, with groups when the weights have fewer input channels than x."""
    if op.y.dtype is DType.FLOAT32:
        return float_layers.conv_2d(inputs, op)
    attrs = cast(ConvAttrs, op.attrs)
    w = array(inputs, 1)
    channels, kh, kw, depth = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = padded(centred(inputs, 0, op), attrs.pads, reach, op, attrs.stride, 0)
    groups = x.shape[3] // depth
    taps = [
        tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape)
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
    return (requantized(acc + bias_of(inputs), attrs.clamp, op),)


def _read_conv_2d(op: Reading) -> Read:
    inputs = read_weighted(op)
    kernel = _read_kernel(op)
    stride = op.window(8, 6, "stride")
    dilation = op.window(14, 12, "dilation", default=1)
    return inputs, ConvAttrs(stride, dilation, op.pads(kernel, stride, dilation), op.clamp(10))


def _macs_conv_2d(graph: Graph, node: Node) -> int:
    w, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    return y.elements * w.shape[1] * w.shape[2] * w.shape[3]


# --- DEPTHWISE_CONV_2D -----------------------------------------------------------------------------------------------


def _verify_depthwise(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 4 and w.shape[0] == 1, f"has weights of shape {list(w.shape)}")
    attrs = v.attrs(ConvAttrs)
    verify_window(v, kernel_of(w), attrs)
    v.need(w.shape[3] % x.shape[3] == 0, f"has {x.shape[3]} input channels and {w.shape[3]} filters")
    v.need(y.shape[3] == w.shape[3], f"has {w.shape[3]} filters, its output {y.shape[3]} channels")
    verify_weights(v, w.shape[3], 3, _DEPTHWISE_TYPES)


def depthwise_conv_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DEPTHWISE_CONV_2D: output channel c * multiplier + m comes from input channel c."""
    if op.y.dtype is DType.FLOAT32:
        return float_layers.depthwise_conv_2d(inputs, op)
    attrs = cast(ConvAttrs, op.attrs)
    w = array(inputs, 1).astype(np.int64)
    _, kh, kw, channels = w.shape
    reach = ((kh - 1) * attrs.dilation[0] + 1, (kw - 1) * attrs.dilation[1] + 1)
    x = padded(centred(inputs, 0, op), attrs.pads, reach, op, attrs.stride, 0)
    x = np.repeat(x, channels // x.shape[3], axis=3)
    acc = np.zeros(op.y.shape, np.int64)
    for dy in range(kh):
        for dx in range(kw):
            acc += tap(x, dy * attrs.dilation[0], dx * attrs.dilation[1], attrs.stride, op.y.shape) * w[0, dy, dx]
    return (requantized(acc + bias_of(inputs), attrs.clamp, op),)


def _read_depthwise(op: Reading) -> Read:
    inputs = read_weighted(op)
    if len(op.inputs) == 3 and inputs[2] == ABSENT:
        raise Unsupported("a third input of -1 (TFLM reads it; leave the bias out)")
    kernel = _read_kernel(op)
    stride = op.window(8, 6, "stride")
    dilation = op.window(16, 14, "dilation", default=1)
    pads = op.pads(kernel, stride, dilation)
    channels, outputs = op.input(0).shape[3], op.input(1).shape[3]
    multiplier = op.integer(10)
    if multiplier * channels != outputs:
        raise ModelFileError(
            f"{op.place}: depth multiplier {multiplier} of {channels} channels contradicts {outputs} filters",
            hint="TFLM computes this from the multiplier, TensorFlow Lite from the filters: convert the model again",
        )
    return inputs, ConvAttrs(stride, dilation, pads, op.clamp(12))


def _macs_depthwise(graph: Graph, node: Node) -> int:
    w, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    return y.elements * w.shape[1] * w.shape[2]


# --- both ------------------------------------------------------------------------------------------------------------


def _read_kernel(op: Reading) -> tuple[int, int]:
    weights = op.input(1)
    if len(weights.shape) != 4 or max(weights.shape) > MAX_WINDOW:
        raise damaged(f"{op.place}: weights of shape {list(weights.shape)} for {op.name}")
    return kernel_of(weights)


def _fields(to: Writing, node: Node) -> tuple[tuple[int, ...], dict[str, int]]:
    """Inputs and options that both have."""
    attrs = cast(ConvAttrs, node.attrs)
    x, w, y = (to.graph.tensors[i] for i in (*node.inputs[:2], node.outputs[0]))
    fields = {
        "Padding": padding_number(x, y, kernel_of(w), attrs),
        "StrideH": attrs.stride[0],
        "StrideW": attrs.stride[1],
        "DilationHFactor": attrs.dilation[0],
        "DilationWFactor": attrs.dilation[1],
        "FusedActivationFunction": activation_number(attrs.clamp, y),
    }
    # TFLM crashes on an optional bias (-1) of DEPTHWISE_CONV_2D; a missing one is fine.
    return tuple(i for i in node.inputs if i != ABSENT), fields


def _write_conv_2d(to: Writing, node: Node) -> OperatorDraft:
    inputs, fields = _fields(to, node)
    return OperatorDraft(node.op, inputs, node.outputs, "Conv2D", fields)


def _write_depthwise(to: Writing, node: Node) -> OperatorDraft:
    inputs, fields = _fields(to, node)
    x, w = (to.graph.tensors[i] for i in node.inputs[:2])
    fields["DepthMultiplier"] = w.shape[3] // x.shape[3]
    return OperatorDraft(node.op, inputs, node.outputs, "DepthwiseConv2D", fields)


OPERATORS = (
    Operator(
        "CONV_2D",
        _verify_conv_2d,
        conv_2d,
        attrs=ConvAttrs,
        inputs=(2, 3),
        optional=BIAS,
        types=_TYPES,
        traits=frozenset({Trait.WEIGHTS}),
        tflite=TfliteForm(3, _write_conv_2d, _read_conv_2d, options=1, version=3),
        channel_axis=0,
        macs=_macs_conv_2d,
        roundings=EITHER_ROUNDING,
    ),
    Operator(
        "DEPTHWISE_CONV_2D",
        _verify_depthwise,
        depthwise_conv_2d,
        attrs=ConvAttrs,
        inputs=(2, 3),
        optional=BIAS,
        types=_DEPTHWISE_TYPES,
        traits=frozenset({Trait.WEIGHTS, Trait.CHANNELS_APART}),
        tflite=TfliteForm(4, _write_depthwise, _read_depthwise, options=2, version=3),
        channel_axis=3,
        macs=_macs_depthwise,
        roundings=EITHER_ROUNDING,
    ),
)
