"""Weights, biases and outputs of layers with weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import (
    ABSENT,
)
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft, chance, log_uniform, quantization
from tests.support.few_values import few_values


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
    if draft.few is not None:
        data = few_values(rng, data, axis, draft.few)
    return draft.constant(data.astype(np.int8), quant), scales if len(scales) > 1 else scales * shape[axis]


def weighted(
    draft: Draft, x: int, shape: tuple[int, ...], axis: int, out: tuple[int, ...], narrow: bool = True
) -> tuple[int, int, int]:
    """(weights, bias or ABSENT, output of shape `out`) of a layer over x, of x's type.

    narrow: int16 activations may have a bias of 32 bits.
    """
    channels, taps = shape[axis], int(np.prod(shape)) // shape[axis]
    if draft.tensors[x].dtype is DType.FLOAT32:
        rng = draft.rng
        data = rng.normal(0, 1 / np.sqrt(taps), shape).astype(np.float32)
        absent = chance(rng, 0.15)
        b = ABSENT if absent else draft.constant(rng.normal(0, 1, channels).astype(np.float32), None)
        return draft.constant(data, None), b, draft.tensor(out, None, DType.FLOAT32)
    w, scales = weights(draft, shape, axis)
    if draft.tensors[x].dtype is DType.INT16:
        b, quant = wide_accumulator(draft, x, channels, taps, scales, w, narrow)
        return w, b, draft.tensor(out, quant, DType.INT16)
    b, quant = accumulator(draft, x, channels, taps, scales, w)
    return w, b, draft.tensor(out, quant)


def wide_accumulator(
    draft: Draft, x: int, channels: int, taps: int, scales: tuple[float, ...], w: int, narrow: bool
) -> tuple[int, Quantization]:
    """(bias id, output quantization) of int16 activations; biases of 64 or 32 bits."""
    rng = draft.rng
    deviation = max(float(np.abs(draft.tensors[w].data.astype(float)).mean()), 0.5) * 15000 * np.sqrt(taps)
    factor = log_uniform(rng, 3000, 40000) / deviation
    scale = draft.quant(x).scale
    quant = quantization(rng, DType.INT16, float(scale * np.median(scales) / factor))
    if chance(rng, 0.15):
        return ABSENT, quant
    largest = factor * max(scales) / float(np.median(scales))
    kind = np.int32 if chance(rng, 0.3) and narrow and largest < 0.9 else np.int64
    data = np.clip(np.round(rng.normal(0, deviation, channels)), -(2**28), 2**28).astype(kind)
    products = tuple(float(np.float32(np.float32(scale) * np.float32(s))) for s in scales)
    one = len(set(products)) == 1
    bias_quant = Quantization(products[:1] if one else products, (0,) * (1 if one else channels), None if one else 0)
    return draft.constant(data, bias_quant), quant


def bias(draft: Draft, channels: int, scale: float, scales: tuple[float, ...], spread: float, huge: int) -> int:
    """Bias of about the accumulator's size, sometimes `huge` (0: never), or ABSENT."""
    rng = draft.rng
    if chance(rng, 0.15):
        return ABSENT
    data = np.round(rng.normal(0, spread, channels)).astype(np.int64)
    if huge and chance(rng, 0.1):
        data = rng.choice(np.array([-huge, huge]), size=channels)
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
    huge = 2**31 - max(2**26, 2**15 * taps)  # with which no accumulator overflows
    b = bias(draft, channels, scale, scales, deviation, 0 if left else huge)
    if draft.zeros > 0.2 and b != ABSENT:
        # dead channels that give exactly the zero point, and dead channels with a huge bias
        data = np.where(rng.random(channels) < 0.5, 0, draft.tensors[b].data).astype(np.int32)
        if not left:
            rows = np.moveaxis(draft.tensors[w].data, -1 if draft.tensors[w].shape[0] == 1 else 0, 0)
            dead = ~rows.reshape(len(rows), -1).any(axis=1)
            if len(dead) == channels:
                data = np.where(dead & (rng.random(channels) < 0.2), huge, data).astype(np.int32)
        draft.tensors[b] = replace(draft.tensors[b], data=data)
    return b, quant
