"""Conv and ConvTranspose, of images with one or two dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.moving import joined, sliced
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.node import Lowering, OnnxNode, Unsupported, must_be
from harness.frontends.onnx.value import OnnxValue, QuantizedConstant
from harness.frontends.onnx.windows import OnnxWindows, from_image, image, windows_of
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.window import ConvAttrs, Pads, padding_of
from harness.quantization.types import Array, DType, Quantization


def quantized_weights(net: Network, tensor: int, made_of: QuantizedConstant | None, data: Array, axis: int) -> None:
    """Notes of which integers a layer's constant was made; `data`: in the layer's order; `axis`: channels."""
    if made_of is None:
        return
    quant = Quantization(
        tuple(float(s) for s in made_of.scales.reshape(-1)),
        tuple(int(z) for z in made_of.zero_points.reshape(-1)),
        axis if made_of.scales.size > 1 else None,
    )
    net.weights[tensor] = (np.ascontiguousarray(data), quant)


def padded(net: Network, x: int, windows: OnnxWindows, out: tuple[int, ...]) -> tuple[int, Pads]:
    """The image with as much padding as the layer itself cannot have, and the padding that it has."""
    (top, left), (bottom, right) = windows.before, windows.beyond
    pads = Pads(top, bottom, left, right)
    if not any((top, left, bottom, right)):
        return x, Pads()
    attrs = ConvAttrs(windows.stride, windows.dilation, pads, FREE)
    stored = net.tensors[x]
    y = net.tensors[net.tensor("", out, DType.FLOAT32)]
    net.tensors.pop()
    if padding_of(stored, y, windows.kernel, attrs) is not None:
        return x, pads
    edges = ((0, 0), (top, bottom), (left, right), (0, 0))
    shape = tuple(n + a + b for n, (a, b) in zip(stored.shape, edges, strict=True))
    return net.emit("PAD", [x], shape, PadAttrs(edges, 0)), Pads()


def _bias(net: Network, bias: OnnxValue | None, channels: int) -> int:
    tensor = net.constant(_bias_values(bias, channels), f"{net.naming}/bias" if bias is None else bias.name)
    if bias is not None and bias.integers is not None:
        quantized_weights(net, tensor, bias.integers, bias.integers.data, 0)
    return tensor


def _kernel(node: OnnxNode, w: OnnxValue) -> tuple[Array, Sequence[int]]:
    """Constant weights, and their spatial dimensions."""
    must_be(w, DType.FLOAT32)
    data = node.constant(1, "weights")
    shape = node.integers("kernel_shape")
    if shape is not None and tuple(shape) != w.shape[2:]:
        raise Unsupported(f"kernel_shape {list(shape)} of weights {list(w.shape)}")
    return data, w.shape[2:]


def _as_image(data: Array) -> Array:
    """Weights of a one-dimensional layer as those of one row."""
    return data[:, :, None, :] if data.ndim == 3 else data


def _conv(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    x, w, bias = node.value(0), node.value(1), node.optional(2)
    must_be(x, DType.FLOAT32)
    data, kernel = _kernel(node, w)
    windows = windows_of(node, x.shape, kernel)
    groups, channels = node.integer("group", 1), w.shape[0]
    if groups < 1 or x.shape[1] != w.shape[1] * groups or channels % groups:
        raise Unsupported(f"{groups} groups of {x.shape[1]} channels, weights {list(w.shape)}")
    depthwise = groups > 1 and w.shape[1] == 1
    order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
    out = (x.shape[0], *windows.out, channels)
    source, pads = padded(net, image(net, x), windows, out)
    weights = net.constant(_as_image(data).transpose(order), w.name)
    if w.integers is not None:
        turned = _as_image(w.integers.data).transpose(order)
        if w.integers.scales.size == 1 or w.integers.axis == 0:
            quantized_weights(net, weights, w.integers, turned, order.index(0))
    attrs = ConvAttrs(windows.stride, windows.dilation, pads, FREE)
    op = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return (from_image(net, net.emit(op, [source, weights, _bias(net, bias, channels)], out, attrs), x.rank),)


def _transposed_pads(node: OnnxNode, size: Sequence[int], kernel: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """(before, after) cut off each dimension, and the output's size. Source: ONNX, ConvTranspose."""
    count = len(size)
    stride = list(node.integers("strides") or [1] * count)
    dilation = list(node.integers("dilations") or [1] * count)
    extra = list(node.integers("output_padding") or [0] * count)
    wanted, pads = node.integers("output_shape"), node.integers("pads")
    auto = node.text("auto_pad", "NOTSET")
    if any(len(part) != count for part in (stride, dilation, extra)) or auto not in (
        "NOTSET",
        "VALID",
        "SAME_UPPER",
        "SAME_LOWER",
    ):
        raise Unsupported(f"strides {stride}, dilations {dilation}, output_padding {extra} or auto_pad {auto}")
    if any(d != 1 for d in dilation):
        raise Unsupported("dilations")
    full = [(n - 1) * s + e + k for n, s, e, k in zip(size, stride, extra, kernel, strict=True)]
    if wanted is not None or auto.startswith("SAME"):
        out = list(wanted[-count:]) if wanted is not None else [n * s for n, s in zip(size, stride, strict=True)]
        total = [f - o for f, o in zip(full, out, strict=True)]
        if min(total) < 0:
            raise Unsupported(f"an output of {out} where the kernels reach {full}")
        small = [t // 2 for t in total]
        large = [t - t // 2 for t in total]
        return ([small, large] if auto == "SAME_UPPER" else [large, small]), out
    if auto == "VALID" or pads is None:
        pads = (0,) * (2 * count)
    if len(pads) != 2 * count or min(pads) < 0:
        raise Unsupported(f"pads {list(pads)}")
    before, after = list(pads[:count]), list(pads[count:])
    return [before, after], [f - a - b for f, a, b in zip(full, before, after, strict=True)]


def _conv_transpose(node: OnnxNode, net: Network) -> Sequence[OnnxValue]:
    """TRANSPOSE_CONV without a cut, then the output's part of it."""
    x, w, bias = node.value(0), node.value(1), node.optional(2)
    must_be(x, DType.FLOAT32)
    data, kernel = _kernel(node, w)
    count = x.rank - 2
    if count not in (1, 2):
        raise Unsupported(f"{count} spatial dimensions")
    groups = node.integer("group", 1)
    if groups < 1 or x.shape[1] != w.shape[0] or x.shape[1] % groups:
        raise Unsupported(f"{groups} groups of {x.shape[1]} channels, weights {list(w.shape)}")
    cut, out = _transposed_pads(node, x.shape[2:], kernel)
    stride = list(node.integers("strides") or [1] * count)
    ones = [1] * (2 - count)
    steps = (*ones, *stride)
    taps = (*ones, *kernel)
    size = (*ones, *x.shape[2:])
    whole = [(n - 1) * s + k for n, s, k in zip(size, steps, taps, strict=True)]
    before, needed = (*([0] * (2 - count)), *cut[0]), (*ones, *out)
    # VALID has any size from which the convolution gives the input: elements beyond the kernels are the bias alone.
    far = [max(f, b + n) for f, b, n in zip(whole, before, needed, strict=True)]
    if any(f - w_ >= s for f, w_, s in zip(far, whole, steps, strict=True)):
        raise Unsupported("output padding of a stride or more")
    attrs = TransposeConvAttrs((steps[0], steps[1]), (0, 0), FREE, same=False)
    source, parts = image(net, x), []
    channels, depth = w.shape[1], x.shape[1] // groups
    offsets = _bias_values(bias, groups * channels)
    for g in range(groups):
        own = sliced(net, source, (0, 0, 0, g * depth), (1, 1, 1, 1), (x.shape[0], *size, depth))
        kernels = _as_image(data)[g * depth : (g + 1) * depth].transpose(1, 2, 3, 0)
        ids = [own, net.constant(kernels, w.name), net.constant(offsets[g * channels : (g + 1) * channels])]
        if groups == 1:
            _integers(net, w, bias, ids[1], ids[2])
        y = net.emit("TRANSPOSE_CONV", ids, (x.shape[0], far[0], far[1], channels), attrs)
        parts.append(sliced(net, y, (0, *before, 0), (1, 1, 1, 1), (x.shape[0], *needed, channels)))
    return (from_image(net, joined(net, parts, 3), x.rank),)


def _integers(net: Network, w: OnnxValue, bias: OnnxValue | None, kernels: int, offsets: int) -> None:
    """Keeps the integers that weights [in, out, ...] and bias of a transposed convolution came out of."""
    if w.integers is not None and (w.integers.scales.size == 1 or w.integers.axis == 1):
        quantized_weights(net, kernels, w.integers, _as_image(w.integers.data).transpose(1, 2, 3, 0), 0)
    if bias is not None and bias.integers is not None:
        quantized_weights(net, offsets, bias.integers, bias.integers.data, 0)


def _bias_values(bias: OnnxValue | None, channels: int) -> Array:
    """The bias, or zeros."""
    if bias is None:
        return np.zeros(channels, np.float32)
    if bias.data is None or bias.shape != (channels,):
        raise Unsupported("a bias computed at run time, or of another shape")
    return bias.data


LOWERINGS = {
    "Conv": Lowering(_conv, (1, 11, 22)),
    "ConvTranspose": Lowering(_conv_transpose, (1, 11, 22)),
}
