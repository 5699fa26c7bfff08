"""Normalizations: of batches into the layer before them, others composed of means and arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.fusing import scaled
from harness.frontends.onnx.lowering.reduction import reduced
from harness.frontends.onnx.moving import reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, axis_of, must_be
from harness.frontends.onnx.value import OnnxValue, channels_last
from harness.quantization.types import Array, DType


def _channel(x: OnnxValue, data: Array, axis: int) -> OnnxValue:
    """A constant of one number per index of a dimension, as it broadcasts to `x`."""
    shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
    return OnnxValue("", shape, DType.FLOAT32, np.asarray(data, np.float32).reshape(shape))


def _batch_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    node.one_output()
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    node.attribute("momentum")  # of training
    if node.integer("training_mode") or node.integer("spatial", 1) != 1:
        raise Unsupported("training_mode or spatial 0")
    gamma, beta, mean, variance = (node.constant(i, "a statistic").astype(np.float64) for i in range(1, 5))
    epsilon = node.real("epsilon", 1e-5)
    factor = gamma / np.sqrt(variance + epsilon)
    shift = beta - mean * factor
    if x.rank < 2 or factor.shape != (x.shape[1],):
        raise Unsupported(f"statistics of shape {list(factor.shape)} for {list(x.shape)}")
    if x.order and x.order[-1] == 1 and x.data is None and scaled(net, x, factor, shift):
        return (x,)
    math = Arithmetic(net)
    return (math.add(math.mul(x, _channel(x, factor, 1)), _channel(x, shift, 1)),)


def _moments(
    math: Arithmetic, x: OnnxValue, axes: Sequence[int], epsilon: float
) -> tuple[OnnxValue, OnnxValue, OnnxValue]:
    """(x - mean) / sqrt(variance + epsilon) over some dimensions, the mean, and what it is multiplied by."""
    mean = reduced(math.net, "MEAN", x, axes, keep=True)
    centred = math.sub(x, mean)
    variance = reduced(math.net, "MEAN", math.square(centred), axes, keep=True)
    factor = math.unary("RSQRT", math.plus(variance, epsilon))
    return math.mul(centred, factor), mean, factor


def _normalized(math: Arithmetic, x: OnnxValue, axes: Sequence[int], epsilon: float) -> OnnxValue:
    return _moments(math, x, axes, epsilon)[0]


def _layer_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    if node.integer("stash_type", 1) != 1:
        raise Unsupported("a stash_type that is not float32")
    axis = axis_of(node.integer("axis", -1), x.rank)
    y, mean, factor = _moments(math, x, range(axis, x.rank), node.real("epsilon", 1e-5))
    y = math.mul(y, node.value(1))
    bias = node.optional(2)
    return (y if bias is None else math.add(y, bias), mean, factor)[: len(node.outputs)]


def _rms_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    if node.integer("stash_type", 1) != 1:
        raise Unsupported("a stash_type that is not float32")
    axis = axis_of(node.integer("axis", -1), x.rank)
    mean = reduced(net, "MEAN", math.square(x), range(axis, x.rank), keep=True)
    y = math.mul(x, math.unary("RSQRT", math.plus(mean, node.real("epsilon", 1e-5))))
    return (math.mul(y, node.value(1)),)


def _instance_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    scale, bias = (node.constant(i, "a scale or bias") for i in (1, 2))
    y = _normalized(math, x, range(2, x.rank), node.real("epsilon", 1e-5))
    return (math.add(math.mul(y, _channel(x, scale, 1)), _channel(x, bias, 1)),)


def _group_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math, groups = node.value(0), Arithmetic(net), node.integer("num_groups")
    must_be(x, DType.FLOAT32)
    if groups < 1 or x.rank < 3 or x.shape[1] % groups or node.integer("stash_type", 1) != 1:
        raise Unsupported(f"{groups} groups of {list(x.shape)}")
    scale, bias = (node.constant(i, "a scale or bias") for i in (1, 2))
    if node.version < 21:  # one number a group, from opset 21 on one a channel
        scale, bias = (np.repeat(part, x.shape[1] // groups) for part in (scale, bias))
    rows = reshaped(net, x, (x.shape[0], groups, prod(x.shape[1:]) // groups))
    y = reshaped(net, _normalized(math, rows, (2,), node.real("epsilon", 1e-5)), x.shape)
    return (math.add(math.mul(y, _channel(x, scale, 1)), _channel(x, bias, 1)),)


def _mean_variance(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math = node.value(0), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    axes = [axis_of(a, x.rank) for a in node.integers("axes") or (0, 2, 3)]
    centred = math.sub(x, reduced(net, "MEAN", x, axes, keep=True))
    deviation = math.sqrt(reduced(net, "MEAN", math.square(centred), axes, keep=True))
    return (math.div(centred, math.plus(deviation, 1e-9)),)


def _lp_norm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, math, p = node.value(0), Arithmetic(net), node.integer("p", 2)
    must_be(x, DType.FLOAT32)
    axis = axis_of(node.integer("axis", -1), x.rank)
    if p not in (1, 2):
        raise Unsupported(f"p {p}")
    parts = math.abs(x) if p == 1 else math.square(x)
    total = reduced(net, "SUM", parts, (axis,), keep=True)
    length = total if p == 1 else math.sqrt(total)
    # 0 of a vector of zeros, where the quotient is no number.
    least = math.binary("MAXIMUM", length, math.number(1e-30))
    return (math.div(x, least),)


def _lrn(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """x / (bias + alpha / size * sum of squares over `size` channels) ** beta."""
    from harness.frontends.onnx.fusing import FREE
    from harness.ir.operators.pad import PadAttrs
    from harness.ir.window import Pads, PoolAttrs

    x, math, size = node.value(0), Arithmetic(net), node.integer("size")
    must_be(x, DType.FLOAT32)
    beta, bias, alpha = node.real("beta", 0.75), node.real("bias", 1.0), node.real("alpha", 1e-4)
    if x.rank != 4 or not 1 <= size <= x.shape[1] or beta not in (0.5, 0.75, 1.0):
        raise Unsupported(f"size {size} and beta {beta:g} of {list(x.shape)}")
    order = channels_last(4)
    squares = net.stored(math.square(x), order)
    n, h, w, c = net.tensors[squares].shape
    before, after = (size - 1) // 2, size // 2
    rows = net.reshaped(squares, (n, h * w, c, 1))
    edges = ((0, 0), (0, 0), (before, after), (0, 0))
    wide = net.emit("PAD", [rows], (n, h * w, c + before + after, 1), PadAttrs(edges, 0)) if size > 1 else rows
    mean = net.emit("AVERAGE_POOL_2D", [wide], (n, h * w, c, 1), PoolAttrs((1, size), (1, 1), Pads(), FREE))
    local = net.made(x.shape, net.reshaped(mean, (n, h, w, c)), order)
    base = math.plus(math.times(local, alpha), bias)
    root = math.sqrt(base)
    power = {0.5: lambda: root, 0.75: lambda: math.mul(root, math.sqrt(root)), 1.0: lambda: base}[beta]()
    return (math.div(replace(x), power),)


LOWERINGS = {
    "BatchNormalization": Lowering(_batch_norm, (7, 9, 14, 15)),
    "LayerNormalization": Lowering(_layer_norm, (17,)),
    "RMSNormalization": Lowering(_rms_norm, (23,)),
    "InstanceNormalization": Lowering(_instance_norm, (6, 22)),
    "GroupNormalization": Lowering(_group_norm, (18, 21)),
    "MeanVarianceNormalization": Lowering(_mean_variance, (9, 13)),
    "LpNormalization": Lowering(_lp_norm, (1, 22)),
    "LRN": Lowering(_lrn, (1, 13)),
}
