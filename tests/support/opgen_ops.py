"""A random instance of every operator, appended to a Draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

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
    Pads,
    PoolAttrs,
    SliceAttrs,
    SoftmaxAttrs,
    SplitAttrs,
    Tensor,
    activation_clamp,
)
from harness.ir.window import same_pads
from harness.quantization.types import Clamp, DType, Quantization
from tests.support.draft import Draft, Rng, between, chance, log_uniform, pick, quantization, values

PROBABILITY = Quantization((1 / 256,), (-128,))


def random_shape(rng: Rng, low: int, high: int, size: int = 7) -> tuple[int, ...]:
    """Of rank low..high."""
    return tuple(between(rng, 1, size) for _ in range(between(rng, low, high)))


def image(draft: Draft, x: int | None, channels: int = 12) -> int:
    """x, or a new NHWC input."""
    rng = draft.rng
    if x is not None:
        return x
    batch = 2 if chance(rng, 0.15) else 1
    if chance(rng, 0.1):
        channels *= 4
    return draft.input((batch, between(rng, 1, 9), between(rng, 1, 9), between(rng, 1, channels)))


def anything(draft: Draft, x: int | None, low: int = 1, high: int = 4) -> int:
    """x, or a new input of rank low..high."""
    return draft.input(random_shape(draft.rng, low, high)) if x is None else x


def fused(rng: Rng, y: Tensor) -> Clamp:
    return activation_clamp(pick(rng, "NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1"), y)


def window(
    rng: Rng, size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
):
    """(pads, output size) of SAME, or of VALID where the window fits."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if all(r <= n for r, n in zip(reach, size, strict=True)) and chance(rng, 0.5):
        return Pads(), tuple((n - r) // s + 1 for n, r, s in zip(size, reach, stride, strict=True))
    return same_pads(size, kernel, stride, dilation), tuple(-(-n // s) for n, s in zip(size, stride, strict=True))


def weights(draft: Draft, shape: tuple[int, ...], axis: int) -> tuple[int, tuple[float, ...]]:
    """(tensor id, one scale per channel) with per-tensor or per-channel scales, some -128, some channels all zero."""
    rng = draft.rng
    data = np.clip(np.round(rng.normal(0, log_uniform(rng, 2, 90), shape)), -127, 127)
    if chance(rng, 0.2):
        data = rng.choice(np.array([-128, 127]), size=shape)
    index = [slice(None)] * len(shape)
    for channel in range(shape[axis]):
        if chance(rng, draft.zeros):
            index[axis] = slice(channel, channel + 1)
            data[tuple(index)] = 0
    if draft.zeros > 0.2 and axis == 0:
        data[..., rng.random(shape[-1]) < 0.2] = 0
    base = log_uniform(rng, 2**-9, 2**-3)
    if chance(rng, 0.3):
        scales, quant_axis = (base,), None
    else:
        scales = tuple(base if chance(rng, 0.1) else log_uniform(rng, base / 4, base * 4) for _ in range(shape[axis]))
        quant_axis = axis
        if len(scales) > 2 and chance(rng, 0.03):
            scales = (float(np.float32(1e-13)), *scales[1:])
    quant = Quantization(scales, (0,) * len(scales), quant_axis if len(scales) > 1 else None)
    return draft.constant(data.astype(np.int8), quant), scales if len(scales) > 1 else scales * shape[axis]


def bias(draft: Draft, channels: int, scale: float, scales: tuple[float, ...], spread: float, huge: bool) -> int:
    """Bias of about the accumulator's size, sometimes near the ends of int32, or ABSENT."""
    rng = draft.rng
    if chance(rng, 0.15):
        return ABSENT
    data = np.round(rng.normal(0, spread, channels)).astype(np.int64)
    if huge and chance(rng, 0.1):
        data = rng.choice(np.array([-(2**31) + 2**26, 2**31 - 2**26]), size=channels)
    products = tuple(float(np.float32(np.float32(scale) * np.float32(s))) for s in scales)
    one = len(set(products)) == 1
    quant = Quantization(products[:1] if one else products, (0,) * (1 if one else channels), None if one else 0)
    return draft.constant(np.clip(data, -(2**31), 2**31 - 1).astype(np.int32), quant)


def accumulator(draft: Draft, x: int, channels: int, taps: int, scales: tuple[float, ...], w: int):
    """(bias id, output quantization): multipliers that use, saturate or hardly touch the range, or shift left."""
    rng = draft.rng
    deviation = float(np.abs(draft.tensors[w].data.astype(float)).mean()) * 75 * np.sqrt(taps) + 1
    factor = log_uniform(rng, 15, 500) / deviation
    if chance(rng, 0.1):
        factor = log_uniform(rng, 0.6, 15)
    # An accumulator that is shifted left must fit int32 thereafter: no operator says what happens otherwise.
    largest = 255 * 128 * taps * 4 * factor * max(scales) / np.median(scales) * 4
    if largest > 2**31:
        factor /= largest / 2**30
    scale = draft.quant(x).scale
    quant = quantization(rng, DType.INT8, float(scale * np.median(scales) / factor))
    left = max(scales) * scale / quant.scale > 0.5
    b = bias(draft, channels, scale, scales, deviation, huge=not left)
    if draft.zeros > 0.2 and b != ABSENT:
        # dead channels that give exactly the zero point, and dead channels with a huge bias
        data = np.where(rng.random(channels) < 0.5, 0, draft.tensors[b].data).astype(np.int32)
        if not left:
            rows = np.moveaxis(draft.tensors[w].data, -1 if draft.tensors[w].shape[0] == 1 else 0, 0)
            dead = ~rows.reshape(len(rows), -1).any(axis=1)
            if len(dead) == channels:
                data = np.where(dead & (rng.random(channels) < 0.2), 2**31 - 2**26, data).astype(np.int32)
        draft.tensors[b] = replace(draft.tensors[b], data=data)
    return b, quant


def conv_2d(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    groups = pick(rng, 1, 1, 1, 2, 3) if x is None else 1
    x = image(draft, x)
    if groups > 1:
        shape = (*draft.shape(x)[:3], groups * between(rng, 1, 5))
        draft.tensors[x] = Tensor(f"t{x}", shape, DType.INT8, draft.quant(x), source=x)
    batch, height, width, depth = draft.shape(x)
    channels = groups * between(rng, 1, 8 if groups > 1 else 20)
    kernel = pick(rng, (1, 1), (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = _steps(rng)
    pads, size = window(rng, (height, width), kernel, stride, dilation)
    w, scales = weights(draft, (channels, *kernel, depth // groups), 0)
    b, quant = accumulator(draft, x, channels, kernel[0] * kernel[1] * depth // groups, scales, w)
    y = draft.tensor((batch, *size, channels), quant)
    attrs = ConvAttrs(stride, dilation, pads, fused(rng, draft.tensors[y]))
    return draft.node("CONV_2D", (x, w, b), (y,), attrs)


def _steps(rng: Rng) -> tuple[tuple[int, int], tuple[int, int]]:
    stride = pick(rng, (1, 1), (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
    return stride, pick(rng, (1, 1), (1, 1), (between(rng, 1, 3), between(rng, 1, 3)))


def depthwise_conv_2d(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = image(draft, x)
    batch, height, width, depth = draft.shape(x)
    channels = depth * pick(rng, 1, 1, 1, between(rng, 1, 4))
    kernel = pick(rng, (3, 3), (between(rng, 1, 5), between(rng, 1, 5)))
    stride, dilation = _steps(rng)
    pads, size = window(rng, (height, width), kernel, stride, dilation)
    w, scales = weights(draft, (1, *kernel, channels), 3)
    b, quant = accumulator(draft, x, channels, kernel[0] * kernel[1], scales, w)
    y = draft.tensor((batch, *size, channels), quant)
    attrs = ConvAttrs(stride, dilation, pads, fused(rng, draft.tensors[y]))
    return draft.node("DEPTHWISE_CONV_2D", (x, w, b), (y,), attrs)


def fully_connected(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    keep = chance(rng, 0.3)
    if x is None:
        x = draft.input((*random_shape(rng, 1, 2 if keep else 1, 4), between(rng, 1, 70)))
    shape = draft.shape(x)
    count, depth = int(np.prod(shape[:-1])), shape[-1]
    channels = between(rng, 1, 24)
    w, scales = weights(draft, (channels, depth), 0)
    b, quant = accumulator(draft, x, channels, depth, scales, w)
    y = draft.tensor((*shape[:-1], channels) if keep else (count, channels), quant)
    return draft.node("FULLY_CONNECTED", (x, w, b), (y,), FullyConnectedAttrs(fused(rng, draft.tensors[y]), keep))


def _pool(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = image(draft, x)
        batch, height, width, depth = draft.shape(x)
        kernel = pick(rng, (2, 2), (height, width), (between(rng, 1, 5), between(rng, 1, 5)))
        stride, _ = _steps(rng)
        pads, size = window(rng, (height, width), kernel, stride, (1, 1))
        y = draft.tensor((batch, *size, depth), draft.quant(x))
        return draft.node(op, (x,), (y,), PoolAttrs(kernel, stride, pads, fused(rng, draft.tensors[y])))

    return build


def mean(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x)
    shape = draft.shape(x)
    axes = tuple(a for a in range(len(shape)) if chance(rng, 0.5)) or (between(rng, 0, len(shape) - 1),)
    if len(shape) == 4 and chance(rng, 0.4):
        axes = (1, 2)
    keep = chance(rng, 0.5)
    out = tuple(1 if a in axes else n for a, n in enumerate(shape) if keep or a not in axes)
    scale = draft.quant(x).scale
    quant = draft.quant(x) if chance(rng, 0.4) else quantization(rng, scale=scale * log_uniform(rng, 0.2, 3))
    return draft.node("MEAN", (x,), (draft.tensor(out, quant),), MeanAttrs(axes, keep))


def _binary(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        x = anything(draft, x)
        shape = draft.shape(x)
        if chance(rng, 0.1):
            other = x
        else:
            wanted = _broadcast(rng, shape) if chance(rng, 0.5) else shape
            if chance(rng, 0.3):
                other = draft.constant(values(rng, wanted, DType.INT8), quantization(rng))
            else:
                other = draft.input(wanted)
        pair = (x, other) if chance(rng, 0.5) else (other, x)
        sa, sb = draft.quant(x).scale, draft.quant(other).scale
        real = (sa + sb) * log_uniform(rng, 0.2, 3) if op == "ADD" else sa * sb * log_uniform(rng, 20, 500)
        y = draft.tensor(np.broadcast_shapes(shape, draft.shape(other)), quantization(rng, scale=real))
        return draft.node(op, pair, (y,), BinaryAttrs(fused(rng, draft.tensors[y])))

    return build


def _broadcast(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts to or with `shape`."""
    wanted = [1 if chance(rng, 0.4) else between(rng, 1, 5) if n == 1 else n for n in shape]
    return tuple(wanted[between(rng, 0, len(wanted) - 1) :]) if chance(rng, 0.3) else tuple(wanted)


def pad(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x)
    shape = draft.shape(x)
    paddings = tuple((between(rng, 0, 3), between(rng, 0, 3)) if chance(rng, 0.6) else (0, 0) for _ in shape)
    quant = draft.quant(x)
    value = between(rng, -128, 127) if chance(rng, 0.4) else quant.zero_point
    y = draft.tensor(tuple(n + sum(p) for n, p in zip(shape, paddings, strict=True)), quant)
    return draft.node("PAD" if value == quant.zero_point else "PADV2", (x,), (y,), PadAttrs(paddings, value))


def reshape(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    sizes = list(draft.shape(x))
    draft.rng.shuffle(sizes)
    cut = between(draft.rng, 0, len(sizes) - 1)
    shape = (*sizes[:cut], int(np.prod(sizes[cut:])), *[1] * between(draft.rng, 0, 1))
    return draft.node("RESHAPE", (x,), (draft.tensor(shape[:4], draft.quant(x)),), NoAttrs())


def squeeze(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        x = draft.input((*random_shape(rng, 1, 2), 1, *random_shape(rng, 0, 1)))
    ones = [i for i, n in enumerate(draft.shape(x)) if n == 1]
    dropped = {i for i in ones if chance(rng, 0.6)} or set(ones)
    shape = tuple(n for i, n in enumerate(draft.shape(x)) if i not in dropped)
    return draft.node("SQUEEZE", (x,), (draft.tensor(shape, draft.quant(x)),), NoAttrs())


def expand_dims(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x, 1, 3)
    shape = draft.shape(x)
    at = between(draft.rng, 0, len(shape))
    return draft.node("EXPAND_DIMS", (x,), (draft.tensor((*shape[:at], 1, *shape[at:]), draft.quant(x)),), NoAttrs())


def softmax(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    if x is None:
        depth = between(rng, 1, 300) if chance(rng, 0.2) else between(rng, 1, 20)
        x = draft.input((*random_shape(rng, 1, 3, 4), depth))
    beta = 1.0 if chance(rng, 0.7) else log_uniform(rng, 0.1, 8)
    return draft.node("SOFTMAX", (x,), (draft.tensor(draft.shape(x), PROBABILITY),), SoftmaxAttrs(beta))


def logistic(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    return draft.node("LOGISTIC", (x,), (draft.tensor(draft.shape(x), PROBABILITY),), NoAttrs())


def relu(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    quant = draft.quant(x)
    if chance(draft.rng, 0.5):
        quant = quantization(draft.rng, scale=quant.scale * log_uniform(draft.rng, 0.1, 4))
    return draft.node("RELU", (x,), (draft.tensor(draft.shape(x), quant),), NoAttrs())


def relu6(draft: Draft, x: int | None = None) -> int:
    x = anything(draft, x)
    return draft.node("RELU6", (x,), (draft.tensor(draft.shape(x), draft.quant(x)),), NoAttrs())


QUANTIZE_TYPES = (
    *((DType.FLOAT32, DType.INT8), (DType.FLOAT32, DType.INT16), (DType.INT8, DType.INT8), (DType.INT8, DType.UINT8)),
    *((DType.INT8, DType.INT16), (DType.UINT8, DType.INT8), (DType.INT16, DType.INT8), (DType.INT16, DType.INT16)),
)
"""What TFLM quantizes from and to, of the types of a Graph."""


def quantize(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    source, target = pick(rng, *QUANTIZE_TYPES) if x is None else (DType.INT8, DType.INT8)
    if x is None:
        x = draft.input(random_shape(rng, 1, 4), dtype=source)
    if source is DType.FLOAT32:
        quant = quantization(rng, target)
    else:
        bits = {DType.INT16: 2**-8}
        scale = draft.quant(x).scale * log_uniform(rng, 0.3, 4) * bits.get(target, 1) / bits.get(source, 1)
        quant = quantization(rng, target, scale)
        if chance(rng, 0.2):
            quant = Quantization((draft.quant(x).scale,), quant.zero_points)
    return draft.node("QUANTIZE", (x,), (draft.tensor(draft.shape(x), quant, target),), NoAttrs())


def dequantize(draft: Draft, x: int | None = None) -> int:
    if x is None:
        x = draft.input(random_shape(draft.rng, 1, 4), dtype=pick(draft.rng, DType.INT8, DType.UINT8, DType.INT16))
    return draft.node("DEQUANTIZE", (x,), (draft.tensor(draft.shape(x), None, DType.FLOAT32),), NoAttrs())


def concatenation(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x)
    shape, quant = draft.shape(x), draft.quant(x)
    axis = between(rng, 0, len(shape) - 1)
    parts = [x]
    for _ in range(between(rng, 1, 4)):
        size = (*shape[:axis], between(rng, 1, 5), *shape[axis + 1 :])
        kind = rng.random()
        if kind < 0.2:
            parts.append(draft.constant(values(rng, size, DType.INT8), quant))
        else:
            parts.append(draft.input(size, quant) if kind < 0.9 else x)
    rng.shuffle(parts)
    total = sum(draft.shape(part)[axis] for part in parts)
    y = draft.tensor((*shape[:axis], total, *shape[axis + 1 :]), quant)
    return draft.node("CONCATENATION", tuple(parts), (y,), ConcatAttrs(axis, (-128, 127)))


def _split(op: str) -> Callable[[Draft, int | None], int]:
    def build(draft: Draft, x: int | None = None) -> int:
        rng = draft.rng
        if x is not None:
            axis = between(rng, 0, len(draft.shape(x)) - 1)
            whole = draft.shape(x)[axis]
            sizes = [whole] if op == "SPLIT" or whole == 1 else [1, whole - 1]
        else:
            count = between(rng, 1, 4)
            sizes = [between(rng, 1, 4)] * count if op == "SPLIT" else [between(rng, 1, 4) for _ in range(count)]
            shape = list(random_shape(rng, 1, 4))
            axis = between(rng, 0, len(shape) - 1)
            shape[axis] = sum(sizes)
            x = draft.input(tuple(shape))
        shape, quant = draft.shape(x), draft.quant(x)
        outputs = tuple(draft.tensor((*shape[:axis], size, *shape[axis + 1 :]), quant) for size in sizes)
        return draft.node(op, (x,), outputs, SplitAttrs(axis))

    return build


def strided_slice(draft: Draft, x: int | None = None) -> int:
    rng = draft.rng
    x = anything(draft, x)
    begin, strides, counts, out = [], [], [], []
    for size in draft.shape(x):
        stride = pick(rng, 1, 1, 2, between(rng, 1, size)) * pick(rng, 1, 1, 1, -1)
        first = between(rng, 0, size - 1)
        room = (size - 1 - first) // stride if stride > 0 else first // -stride
        count = between(rng, 1, room + 1)
        shrink = count == 1 and len(draft.shape(x)) > 1 and chance(rng, 0.4) and stride > 0
        begin.append(first)
        strides.append(stride)
        counts.append(count)
        if not shrink:
            out.append(count)
    y = draft.tensor(tuple(out) or (1,), draft.quant(x))
    return draft.node("STRIDED_SLICE", (x,), (y,), SliceAttrs(tuple(begin), tuple(strides), tuple(counts)))


BUILDERS: Mapping[str, Callable[[Draft, int | None], int]] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "AVERAGE_POOL_2D": _pool("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": _pool("MAX_POOL_2D"),
    "MEAN": mean,
    "ADD": _binary("ADD"),
    "MUL": _binary("MUL"),
    "PAD": pad,
    "RESHAPE": reshape,
    "SQUEEZE": squeeze,
    "EXPAND_DIMS": expand_dims,
    "SOFTMAX": softmax,
    "LOGISTIC": logistic,
    "RELU": relu,
    "RELU6": relu6,
    "QUANTIZE": quantize,
    "DEQUANTIZE": dequantize,
    "CONCATENATION": concatenation,
    "SPLIT": _split("SPLIT"),
    "SPLIT_V": _split("SPLIT_V"),
    "STRIDED_SLICE": strided_slice,
}
