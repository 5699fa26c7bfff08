"""What the MVE kernels share: how a layer is requantized, and how weights are laid out for products of 16."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.graph import Clamp

Int8s = npt.NDArray[np.int8]
Int32s = npt.NDArray[np.int32]

RELU, SIGNED, GENERAL = 0, 1, 2
"""Forms of requantization, as in firmware/kernels/gemm_s8_mve.h; requant_mve.h says why they are exact."""

LANES = 16
FULL: Clamp = (-128, 127)


@dataclass(frozen=True, eq=False)
class Scaling:
    """Requantization of a layer's channels; exact for every int32 accumulator.

    Attributes:
        form: RELU, SIGNED or GENERAL.
        bias: int32, the input's zero point folded in; wraps as the accumulators do.
        multiplier: int32.
        shift: int8; positive before the multiplication, negative after it.
    """

    form: int
    bias: Int32s
    multiplier: Int32s
    shift: Int8s


def scaling(bias: Int32s, multipliers: Int32s, shifts: Int32s, zero_point: int, clamp: Clamp) -> Scaling:
    """The cheapest exact form for a layer: zero_point and clamp are the output's."""
    # What is multiplied by nothing may be shifted by anything.
    shift = np.where(multipliers == 0, -1, shifts)
    if clamp == FULL and zero_point == FULL[0] and (shift <= 0).all():
        form = RELU
    elif clamp == FULL and (shift <= -1).all():
        form = SIGNED
    else:
        form = GENERAL
    return Scaling(form, bias, multipliers, shift.astype(np.int8))


def split_depth(depth: int) -> tuple[int, int]:
    """(steps of 16 activations, tail of up to 8 after them): a tail beyond 8 takes a step of its own."""
    steps, rest = divmod(depth, LANES)
    return (steps + 1, 0) if rest > LANES // 2 else (steps, rest)


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


def pack_gemm(weights: Int8s, scale: Scaling) -> Int32s:
    """Weights (channels, depth) and requantization as gemm_s8_mve reads them."""
    parts: list[npt.NDArray[np.int8] | npt.NDArray[np.int32]] = []
    for first in blocks(weights.shape[0], 4):
        part = slice(first, first + 4)
        parts += [scale.bias[part], interleave(weights, first, 4)]
        if scale.form == GENERAL:
            parts.append(np.maximum(scale.shift[part], 0))
        parts += [scale.multiplier[part], np.minimum(scale.shift[part], 0)]
    return words(*parts)
