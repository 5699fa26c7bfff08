"""Gemm and MatMul: fully connected layers where the right operand is constant, else products of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.lowering.convolution import quantized_weights
from harness.frontends.onnx.moving import reshaped
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue, identity
from harness.ir.operators.batch_matmul import MatmulAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.quantization.types import Array, DType


def fully_connected(
    net: Network, x: OnnxValue, w: OnnxValue, weights: Array, integers: Array | None, bias: OnnxValue | None
) -> OnnxValue:
    """x [..., in] by weights [out, in], with a constant bias of [out]."""
    depth, channels = weights.shape[1], weights.shape[0]
    if x.shape[-1:] != (depth,):
        raise Unsupported(f"{list(x.shape)} by {channels} x {depth}")
    if x.columns is not None:
        weights = weights[:, x.columns]
        integers = None if integers is None else integers[:, x.columns]
        x = replace(x, columns=None)
    order = x.order if x.data is None and x.order[-1] == x.rank - 1 else identity(x.rank)
    tensor = net.stored(x, order)
    kernel = net.constant(np.ascontiguousarray(weights, np.float32), w.name)
    if w.integers is not None and integers is not None:
        quantized_weights(net, kernel, w.integers, integers, 0)
    offset = np.zeros(channels, np.float32)
    if bias is not None and bias.data is not None:
        offset = np.broadcast_to(bias.data.reshape(-1), (channels,)).astype(np.float32)
    shift = net.constant(offset, bias.name if bias is not None else f"{net.naming}/bias")
    if bias is not None and bias.integers is not None and bias.shape == (channels,):
        quantized_weights(net, shift, bias.integers, bias.integers.data, 0)
    shape = (*x.shape[:-1], channels)
    attrs = FullyConnectedAttrs(FREE, keep_num_dims=x.rank != 2)
    y = net.emit("FULLY_CONNECTED", [tensor, kernel, shift], [shape[i] for i in order], attrs)
    return net.made(shape, y, order)


def _is_bias(value: OnnxValue | None, channels: int) -> bool:
    """Whether a constant is one number per column, or one for all."""
    if value is None:
        return True
    sizes = [n for n in value.shape[:-1] if n != 1]
    return value.data is not None and not sizes and value.shape[-1:] in ((), (1,), (channels,))


def _gemm(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    a, b, c = node.value(0), node.value(1), node.optional(2)
    must_be(a, DType.FLOAT32)
    must_be(b, DType.FLOAT32)
    if a.rank != 2 or b.rank != 2:
        raise Unsupported(f"operands {list(a.shape)} and {list(b.shape)}")
    alpha, beta = np.float32(node.real("alpha", 1.0)), np.float32(node.real("beta", 1.0))
    if node.integer("transA"):
        a = _turned(net, a)
    turned = node.integer("transB") != 0
    math = Arithmetic(net)
    if b.data is not None:
        weights = np.asarray(b.data if turned else b.data.T, np.float32) * alpha
        integers = None
        if b.integers is not None and alpha == 1 and beta == 1:
            whole = b.integers.axis == (0 if turned else 1) or b.integers.scales.size == 1
            integers = (b.integers.data if turned else b.integers.data.T) if whole else None
        fits = _is_bias(c, len(weights))
        bias = c if fits else None
        if fits and c is not None and c.data is not None and beta != 1:
            bias = replace(c, data=np.asarray(c.data, np.float32) * beta, integers=None)
        y = fully_connected(net, a, b, weights, integers, bias)
        if fits or c is None:
            return (y,)
    else:
        y = math.times(product(net, a, _turned(net, b) if turned else b), float(alpha))
        if c is None:
            return (y,)
    return (math.add(y, math.times(c, float(beta))),)


def _turned(net: Network, x: OnnxValue) -> OnnxValue:
    """A matrix with its dimensions exchanged."""
    if x.data is not None:
        return replace(x, shape=x.shape[::-1], data=np.ascontiguousarray(x.data.T), integers=None)
    if x.columns is not None:
        raise Unsupported("a flattened image transposed")
    return net.made(x.shape[::-1], x.tensor, [1 - i for i in x.order])


def product(net: Network, a: OnnxValue, b: OnnxValue) -> OnnxValue:
    """BATCH_MATMUL of at least two dimensions; an operand stored with its last two exchanged is taken as it is."""
    tensors, flags = [], []
    for value in (a, b):
        rank = value.rank
        swapped = (*range(rank - 2), rank - 1, rank - 2)
        flag = value.data is None and value.order == swapped and min(value.shape[-2:]) > 1
        tensors.append(net.stored(value, swapped if flag else None))
        flags.append(flag)
    batches = [int(n) for n in np.broadcast_shapes(a.shape[:-2], b.shape[:-2])]
    if a.shape[-1] != b.shape[-2]:
        raise Unsupported(f"{list(a.shape)} by {list(b.shape)}")
    shape = (*batches, a.shape[-2], b.shape[-1])
    y = net.emit("BATCH_MATMUL", tensors, shape, MatmulAttrs(*flags), DType.FLOAT32)
    return net.made(shape, y)


def _matmul(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    a, b = node.value(0), node.value(1)
    must_be(a, DType.FLOAT32)
    must_be(b, DType.FLOAT32)
    if a.rank < 1 or b.rank < 1:
        raise Unsupported("a scalar")
    if b.data is not None and b.rank <= 2 and a.data is None:
        column = b.data if b.rank == 2 else b.data[:, None]
        integers = None
        if b.integers is not None and b.rank == 2 and (b.integers.scales.size == 1 or b.integers.axis == 1):
            integers = b.integers.data.T
        row = reshaped(net, a, (1, *a.shape)) if a.rank == 1 else a
        y = fully_connected(net, row, b, column.T, integers, None)
        shape = (*a.shape[:-1], *(b.shape[1:]))
        return (reshaped(net, y, shape) if y.shape != shape else y,)
    left = reshaped(net, a, (1, *a.shape)) if a.rank == 1 else a
    right = reshaped(net, b, (*b.shape, 1)) if b.rank == 1 else b
    y = product(net, left, right)
    shape = y.shape
    if a.rank == 1:
        shape = (*shape[:-2], shape[-1])
    if b.rank == 1:
        shape = shape[:-1]
    return (reshaped(net, y, shape) if shape != y.shape else y,)


LOWERINGS = {
    "Gemm": Lowering(_gemm, (7, 9, 11, 13)),
    "MatMul": Lowering(_matmul, (1, 9, 13)),
}
