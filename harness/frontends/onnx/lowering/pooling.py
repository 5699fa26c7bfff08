"""MaxPool, AveragePool, and the pools over whole images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from harness.frontends.onnx.arithmetic import Arithmetic
from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.lowering.reduction import reduced
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue
from harness.frontends.onnx.windows import OnnxWindows, from_image, image, windows_of
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.window import Pads, PoolAttrs, padding_of
from harness.quantization.types import Array, DType


def _windows(node: OnnxNode, x: OnnxValue) -> OnnxWindows:
    kernel = node.integers("kernel_shape")
    if kernel is None:
        raise Unsupported("no kernel_shape")
    windows = windows_of(node, x.shape, kernel)
    if windows.dilation != (1, 1):
        raise Unsupported(f"dilations {list(windows.dilation)}")
    return windows


def _fits(net: Network, x: int, attrs: PoolAttrs, out: tuple[int, ...]) -> bool:
    """Whether the padding is one that a file can say."""
    stored = net.tensors[x]
    return padding_of(stored, replace(stored, shape=out), attrs.kernel, attrs) is not None


def _around(net: Network, x: int, windows: OnnxWindows, value: int) -> int:
    (top, left), (bottom, right) = windows.before, windows.beyond
    if not any((top, left, bottom, right)):
        return x
    edges = ((0, 0), (top, bottom), (left, right), (0, 0))
    shape = [n + a + b for n, (a, b) in zip(net.tensors[x].shape, edges, strict=True)]
    return net.emit("PADV2" if value else "PAD", [x], shape, PadAttrs(edges, value), quant=net.tensors[x].quant)


def _max_pool(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    node.one_output()
    node.integer("storage_order")  # of the second output
    x = node.value(0)
    must_be(x, DType.FLOAT32, DType.INT8, DType.UINT8)
    windows, source = _windows(node, x), image(net, x)
    (top, left), (bottom, right) = windows.before, windows.beyond
    out = (x.shape[0], *windows.out, x.shape[1])
    stored = net.tensors[source]
    attrs = PoolAttrs(windows.kernel, windows.stride, Pads(top, bottom, left, right), stored.dtype.range)
    if not _fits(net, source, attrs, out):
        source = _around(net, source, windows, stored.dtype.range[0])
        attrs = replace(attrs, pads=Pads())
    y = net.emit("MAX_POOL_2D", [source], out, attrs, quant=stored.quant)
    return (replace(from_image(net, y, x.rank), dtype=x.dtype),)


def _counted(windows: OnnxWindows, padding: bool) -> Array:
    """[out height, out width]: the elements of each window by which ONNX divides, padding included or not."""
    counts = []
    for axis in range(2):
        before, after = (windows.before[axis], windows.after[axis]) if padding else (0, 0)
        starts = np.arange(windows.out[axis]) * windows.stride[axis] - windows.before[axis]
        first = np.maximum(starts, -before)
        end = np.minimum(starts + windows.kernel[axis], windows.size[axis] + after)
        counts.append(end - first)
    found: Array = np.outer(counts[0], counts[1])
    return found


def _average_pool(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    must_be(x, DType.FLOAT32)
    padding = node.integer("count_include_pad") != 0
    windows, source = _windows(node, x), image(net, x)
    (top, left), (bottom, right) = windows.before, windows.beyond
    out = (x.shape[0], *windows.out, x.shape[1])
    counts = _counted(windows, padding).astype(np.float64)
    if counts.min() < 1:
        raise Unsupported("windows of padding alone")
    attrs = PoolAttrs(windows.kernel, windows.stride, Pads(top, bottom, left, right), FREE)
    padded = any((top, left, bottom, right))
    if not padded or (not padding and _fits(net, source, attrs, out)):
        return (from_image(net, net.emit("AVERAGE_POOL_2D", [source], out, attrs), x.rank),)
    attrs = replace(attrs, pads=Pads())
    y = net.emit("AVERAGE_POOL_2D", [_around(net, source, windows, 0)], out, attrs)
    ratio = windows.kernel[0] * windows.kernel[1] / counts
    if (ratio != 1).any():
        factor = net.constant(ratio.astype(np.float32)[None, :, :, None])
        y = net.emit("MUL", [y, factor], out, BinaryAttrs(FREE))
    return (from_image(net, y, x.rank),)


def _lp_pool(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """The root of the sum of powers of each window: of the mean of all its places, times them."""
    x, p, math = node.value(0), node.integer("p", 2), Arithmetic(net)
    must_be(x, DType.FLOAT32)
    if p not in (1, 2, 4) or node.integer("ceil_mode"):
        raise Unsupported(f"p of {p}, or ceil_mode")
    powers = math.abs(x) if p == 1 else math.square(x)
    powers = math.square(powers) if p == 4 else powers
    windows, source = _windows(node, x), image(net, powers)
    out = (x.shape[0], *windows.out, x.shape[1])
    attrs = PoolAttrs(windows.kernel, windows.stride, Pads(), FREE)
    mean = net.emit("AVERAGE_POOL_2D", [_around(net, source, windows, 0)], out, attrs)
    total = math.times(from_image(net, mean, x.rank), float(prod(windows.kernel)))
    for _ in range(p // 2):
        total = math.sqrt(total)
    return (total,)


def _global_average(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    return (reduced(net, "MEAN", x, tuple(range(2, x.rank)), keep=True),)


def _global_max(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x = node.value(0)
    return (reduced(net, "REDUCE_MAX", x, tuple(range(2, x.rank)), keep=True),)


LOWERINGS = {
    "MaxPool": Lowering(_max_pool, (1, 8, 10, 11, 12, 22)),
    "AveragePool": Lowering(_average_pool, (7, 10, 11, 19, 22)),
    "LpPool": Lowering(_lp_pool, (2, 11, 18, 22)),
    "GlobalAveragePool": Lowering(_global_average, (1, 22)),
    "GlobalMaxPool": Lowering(_global_max, (1, 22)),
}
