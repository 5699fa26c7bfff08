"""What the MVE kernels share: how a layer is requantized, and how weights are laid out for products of 16."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.kernels.constants import constant
from harness.kernels.context import Context
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.quantization.fixedpoint import wrap32
from harness.quantization.types import Rounding

Packing: TypeAlias = Literal["s8", "int4", "lut16"]
"""Weights as bytes; of four bits; or, in their place, indices of 16 values."""

Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]

RELU, SIGNED, GENERAL, FLOAT, PAIRS_RELU, PAIRS_SIGNED = (
    constant("mve.h", f"HIL_MVE_{form}")
    for form in ("RELU", "SIGNED", "GENERAL", "FLOAT", "PAIRS_RELU", "PAIRS_SIGNED")
)
PAIRS = {RELU: PAIRS_RELU, SIGNED: PAIRS_SIGNED}
"""Forms of requantization, firmware/kernels/mve.h; requant_mve.h says why they are exact."""

LANES = 16
EIGHT = 8
LONGEST_PAIRS, LONGEST_ALONE = (
    constant("gemm_pairs_s8_mve.h", f"HIL_GEMM_PAIRS_MVE_{name}") for name in ("LONGEST", "ALONE")
)
"""Most steps, the tail being one, of a pixel in gemm_pairs_s8_mve, and of a last pixel that is computed alone."""
_SATURATED = 11
"""Shifts to the right up to which products of 2^31 / 2^n and more are beyond any int8 output."""
MAX_CHANNELS = 65532
"""Of products in blocks: offsets of outputs are uint16."""


@dataclass(frozen=True, eq=False)
class MveRequant:
    """Requantization of a layer's channels as MVE kernels read it; exact for every int32 accumulator.

    Attributes:
        form: RELU, SIGNED, GENERAL or FLOAT.
        bias: int32, the input's zero point folded in; wraps as the accumulators do.
        multiplier: int32; in the form FLOAT the bits of a float32.
        shift: int8; in the form FLOAT nothing; positive before the multiplication, negative after it.
    """

    form: int
    bias: Int32s
    multiplier: Int32s
    shift: Int8s

    @property
    def by_factors(self) -> bool:
        """Whether a product with `factors` stands for the shift in all channels."""
        return self.form in (RELU, SIGNED) and bool((self.shift < 0).all())

    @property
    def factors(self) -> Int32s:
        """int32 [channels]: 2^31 / 2^n; in the form SIGNED one more, which takes ties away from zero."""
        shifted = np.int64(1) << (31 + np.minimum(self.shift, -1).astype(np.int64))
        return (shifted + (self.form == SIGNED)).astype(np.int32)


def mve_requant(layer: QuantizedLayer) -> MveRequant:
    """The cheapest form that is exact for every channel."""
    if layer.rounding is Rounding.ONNX:
        bias, shift = wrap32(layer.folded_bias).astype(np.int32), np.zeros(len(layer.weights), np.int8)
        return MveRequant(FLOAT, bias, layer.factors.view(np.int32), shift)
    # What is multiplied by nothing may be shifted by anything.
    shift = np.where(layer.multipliers == 0, -1, layer.shifts).astype(np.int8)
    form = GENERAL
    if layer.saturates and layer.zero_point == layer.out_range[0] and (shift <= 0).all():
        form = RELU
    elif layer.saturates and (shift <= -1).all() and _ties_hold(layer, shift):
        form = SIGNED
    return MveRequant(form, wrap32(layer.folded_bias).astype(np.int32), layer.multipliers, shift)


def _ties_hold(layer: QuantizedLayer, shift: Int8s) -> bool:
    """Whether one more than 2^31 / 2^n changes nothing but ties: sums are small, or saturate where they are large."""
    low, high = layer.accumulators
    right = -shift.astype(np.int64)
    return bool(((right <= _SATURATED) | (np.maximum(np.abs(low), np.abs(high)) < np.int64(1) << (31 - right))).all())


def layer_form(context: Context) -> int:
    """The form of a layer with weights."""
    return mve_requant(quantized_layer(context)).form


def gemm_form(layer: QuantizedLayer, depth: int, packing: Packing = "s8") -> int:
    """The form of a layer whose products gemm_s8_mve or, as one of PAIRS, gemm_pairs_s8_mve computes."""
    form, fits = mve_requant(layer).form, len(layer.weights) % EIGHT == 0 and units(depth) <= LONGEST_PAIRS
    return PAIRS.get(form, form) if packing == "s8" and fits else form


def output_shape(layer: QuantizedLayer, form: int) -> dict[str, int]:
    """The output's zero point, its clamp and the form."""
    return {"out_zero": layer.zero_point, "clamp_min": layer.clamp[0], "clamp_max": layer.clamp[1], "form": form}


def gemm_shape(layer: QuantizedLayer, depth: int, form: int) -> dict[str, int]:
    """What gemm_s8_mve wants to know besides where the activations are."""
    steps, tail = split_depth(depth)
    return {"steps": steps, "tail": tail, "out_c": len(layer.weights), **output_shape(layer, form)}


def split_depth(depth: int) -> tuple[int, int]:
    """(steps of 16 activations, tail of up to 8 after them): a tail beyond 8 takes a step of its own."""
    steps, rest = divmod(depth, LANES)
    return (steps + 1, 0) if rest > LANES // 2 else (steps, rest)


def units(depth: int) -> int:
    """Steps, the tail being one."""
    steps, tail = split_depth(depth)
    return steps + (tail > 0)


def readable(depth: int) -> bool:
    """Whether windows may be read where they lie: 9 to 15 activations beyond whole steps are read as 16."""
    return depth % LANES <= LANES // 2


def blocks(channels: int, size: int) -> list[int]:
    """First channels of blocks of `size` that cover `channels`, at least `size`: the last one moves back to fit."""
    return [min(first, channels - size) for first in range(0, channels, size)]


def interleave(weights: Int8s, first: int, size: int) -> Int8s:
    """Weights (channels, depth) of `size` channels from `first` on: 16 taps of each in turn, then 8 for a tail."""
    steps, tail = split_depth(weights.shape[1])
    rows = np.zeros((size, LANES * steps + (LANES // 2 if tail else 0)), np.int8)
    rows[:, : weights.shape[1]] = weights[first : first + size]
    whole = rows[:, : LANES * steps].reshape(size, steps, LANES).transpose(1, 0, 2)
    return np.concatenate([whole.reshape(-1), rows[:, LANES * steps :].reshape(-1)])


def words(*parts: npt.NDArray[np.int8] | npt.NDArray[np.int32]) -> Int32s:
    """Little-endian arrays one after the other as words; their size in all must be a multiple of four."""
    data = b"".join(np.ascontiguousarray(part).astype(part.dtype.newbyteorder("<")).tobytes() for part in parts)
    return np.frombuffer(data, "<i4").astype(np.int32)


def int4_weights(weights: Int8s, first: int, size: int) -> Int8s:
    """Weights of four bits as `interleave` lays them out, two channels a byte (gemm_int4_mve.h)."""
    rows = weights[first : first + size]
    return interleave((16 * rows[1::2] + rows[0::2]).astype(np.int8), 0, size // 2)


def int4_starts(bias: Int32s) -> Int32s:
    """What accumulators start at: an odd channel's is its own, an even one's also has 16 times that."""
    starts = bias.astype(np.int64)
    starts[0::2] += starts[1::2] << 4
    return wrap32(starts).astype(np.int32)


def lut16_weights(indices: Int8s, first: int, size: int) -> Int8s:
    """Indices of four bits as `interleave` lays weights out: of 32 in turn the first 16 in lower halves of bytes."""
    laid = interleave(indices, first, size).reshape(-1, 2, LANES)
    return (laid[:, 0] | laid[:, 1] << 4).astype(np.int8).reshape(-1)


_LAID: Mapping[Packing, Callable[[Int8s, int, int], Int8s]] = {
    "s8": interleave,
    "int4": int4_weights,
    "lut16": lut16_weights,
}


def pack_pairs(weights: Int8s, scale: MveRequant) -> Int32s:
    """Weights (channels, depth) and requantization as gemm_pairs_s8_mve reads them."""
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    second = scale.factors if scale.form == SIGNED else scale.shift
    early = LANES if weights.shape[1] > EIGHT else 0
    end = 4 * LANES * max(units(weights.shape[1]) - 2, 0)
    begin = max(end - 4 * LANES, 0)
    for first in range(0, len(weights), EIGHT):
        even, odd = slice(first, first + EIGHT, 2), slice(first + 1, first + EIGHT, 2)
        late = interleave(weights[odd], 0, 4)
        late = np.concatenate([late[begin:end], late[:begin], late[end:]])
        parts += [scale.bias[even], interleave(weights[even], 0, 4), late[:early], scale.bias[odd], late[early:]]
        parts += [part[channels] for channels in (even, odd) for part in (scale.multiplier, second)]
    return words(*parts)


def pack_gemm(weights: Int8s, scale: MveRequant, packing: Packing = "s8", form: int | None = None) -> Int32s:
    """Weights (channels, depth) and requantization as gemm_s8_mve, gemm_int4_mve or unpack_lut16_mve reads them.

    form: one of PAIRS for gemm_pairs_s8_mve.
    """
    if form in PAIRS.values():
        return pack_pairs(weights, scale)
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    for first in blocks(weights.shape[0], 4):
        part = slice(first, first + 4)
        bias = int4_starts(scale.bias[part]) if packing == "int4" else scale.bias[part]
        parts += [bias, _LAID[packing](weights, first, 4), scale.multiplier[part]]
        if scale.form == GENERAL:
            parts.append(np.maximum(scale.shift[part], 0))
        if scale.form != FLOAT:
            parts.append(scale.factors[part] if scale.form == SIGNED else np.minimum(scale.shift[part], 0))
    return words(*parts)


def pack_by_channel(weights: Int8s, scale: MveRequant) -> Int32s:
    """Weights (channels, depth) and requantization as gemm_1x8_s8_mve reads them."""
    depth = weights.shape[1]
    rows = np.pad(weights, ((0, 0), (0, -depth % LANES)))
    shift = scale.shift.astype(np.int32)
    constants = {FLOAT: [], SIGNED: [scale.factors], GENERAL: [np.minimum(shift, 0), np.maximum(shift, 0)]}
    heads = np.stack([scale.bias, scale.multiplier, *constants.get(scale.form, [shift])], axis=1)
    return np.concatenate([words(head.astype(np.int32), row) for head, row in zip(heads, rows, strict=True)])


def pack_channel_pairs(weights: Int8s, scale: MveRequant) -> Int32s:
    """Weights (an even number of channels, depth) and requantization as gemm_2x4_s8_mve reads them."""
    rows = np.pad(weights, ((0, 0), (0, -weights.shape[1] % LANES)))
    taps = rows.reshape(-1, 2, rows.shape[1] // LANES, LANES).transpose(0, 2, 1, 3)
    shift = scale.shift.astype(np.int32)
    right = np.minimum(shift, 0)
    constants = {FLOAT: [], SIGNED: [scale.factors], GENERAL: [np.maximum(shift, 0), right]}.get(scale.form, [right])
    found: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    for pair, own in enumerate(taps):
        at = slice(2 * pair, 2 * pair + 2)
        found += [scale.bias[at], own.astype(np.int8)]
        found += [np.tile(part[at].astype(np.int32), 2) for part in (scale.multiplier, *constants)]
    return words(*found)


def pack_fully_connected(weights: Int8s, scale: MveRequant, packing: Packing = "s8") -> Int32s:
    """Weights (outputs, depth) and requantization as fully_connected_s8_mve reads them, or its like for packed ones."""
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    outputs = weights.shape[0]
    first = 0
    while first < outputs:
        size = 4 if outputs - first <= 4 else 8
        missing = max(first + size - outputs, 0)
        part = slice(first, first + size)
        # A vector for all of four; for eight, one of the even and one of the odd ones.
        order = np.arange(size) if size == 4 else np.arange(size).reshape(4, 2).T.reshape(-1)
        bias, multiplier = (np.pad(a[part], (0, missing)) for a in (scale.bias, scale.multiplier))
        shift = np.pad(scale.shift[part], (0, missing), constant_values=-1)[order]
        rows = np.pad(weights[part], ((0, missing), (0, 0)))
        factor = np.pad(scale.factors[part], (0, missing))[order]
        bias = int4_starts(bias) if packing == "int4" else bias
        parts += [bias, _LAID[packing](rows, 0, size)]
        if scale.form == GENERAL:
            parts.append(np.maximum(shift, 0))
        parts.append(multiplier[order])
        if scale.form != FLOAT:
            parts.append(factor if scale.form == SIGNED else np.minimum(shift, 0))
        first += size
    return words(*parts)


def pack_uniform(weights: Int8s, scale: MveRequant) -> Int32s:
    """Weights (outputs, depth) and biases as fully_connected_uniform_s8_mve reads them."""
    order = np.arange(EIGHT).reshape(4, 2).T.reshape(-1)
    rows = np.pad(weights, ((0, 0), (0, -weights.shape[1] % LANES)))
    found = (first + order for first in blocks(len(rows), EIGHT))
    return words(*(part for at in found for part in (scale.bias[at], interleave(rows[at], 0, EIGHT))))


def pack_scale(scale: MveRequant) -> Int32s:
    """Multiplier, factor and bias of each channel in turn."""
    return np.stack([scale.multiplier, scale.factors, scale.bias], axis=1).astype(np.int32).reshape(-1)


def pack_records(taps: Int8s, scale: MveRequant) -> Int8s:
    """Per channel its taps (channels, taps), its shift, and a zero, where lanes without a tap point."""
    zeros = np.zeros((taps.shape[0], 1), np.int8)
    return np.concatenate([taps, scale.shift[:, None], zeros], axis=1).reshape(-1)


_WOVEN = (np.arange(0, LANES, 4), np.arange(2, LANES, 4), np.arange(1, LANES, 4), np.arange(3, LANES, 4))
"""Channels of 16 whose sums lie side by side."""


def pack_woven(taps: Int8s, scale: MveRequant) -> Int32s:
    """Taps (channels, taps) and requantization of blocks of 16 channels, as depthwise_woven_s8_mve reads them."""
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    rows = np.pad(taps, ((0, 0), (0, -taps.shape[1] % LANES)))
    for first in range(0, len(taps), LANES):
        for half in (_WOVEN[:2], _WOVEN[2:]):
            channels = first + np.concatenate(half)
            parts += [scale.bias[channels], interleave(rows[channels], 0, EIGHT)]
        parts += [part[first + at] for at in _WOVEN for part in (scale.multiplier, scale.factors)]
    return words(*parts)


def pack_taps(taps: Int8s, scale: MveRequant, starts: Sequence[int], multiplier: int) -> Int32s:
    """Taps (channels, taps) and requantization of blocks of eight channels, as depthwise_taps_s8_mve reads them.

    Args:
        taps: of every output channel.
        scale: its requantization.
        starts: first channel of each block; channels that do not exist get zeros.
        multiplier: output channels per input channel in the spread form, 0 in the other.
    """
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    channels = taps.shape[0]
    for first in starts:
        part = slice(first, first + EIGHT)
        missing = max(first + EIGHT - channels, 0)
        if multiplier:
            own = np.minimum(np.arange(first, first + EIGHT), channels - 1) // multiplier
            parts.append(own.astype("<u2").view(np.int8))
        order = np.arange(EIGHT).reshape(4, 2).T.reshape(-1)
        bias, factor = (np.pad(a[part], (0, missing))[order] for a in (scale.bias, scale.multiplier))
        shift = np.pad(scale.shift[part], (0, missing), constant_values=-1)[order]
        weights = np.pad(taps[part], ((0, missing), (0, 0))).T
        parts += [bias, np.ascontiguousarray(weights).reshape(-1)]
        parts += [factor] if scale.form == FLOAT else [np.maximum(shift, 0), factor, np.minimum(shift, 0)]
    return words(*parts)
