"""Weights packed for the inner kernels of firmware/kernels/gemm_dsp.h, and the proof that they are exact.

Four output channels make a block of words:

    sums: 4 words        what the accumulators start with
    weights: 4 per group of four taps: channels 0, 1 | 2, 3 at taps 0 and 2, then the same at taps 1 and 3
    multipliers: 4 words
    shifts: 1 word       a byte a channel, shift - 1 (the kernels shift by one more when they saturate)

A weight word holds two channels at two taps: bytes even, odd channel at the first tap, then the second. With `carry`,
its two halves are 256 * odd + even as int16, so that the kernels multiply both channels at once:

    P = sum(lane * x) = 256 * S_odd + S_even (mod 2**32),   Q = sum(even * x) = S_even,   S_odd = (P - Q) / 256

which is exact when every lane is an int16 (no odd weight is -128 beside a negative even one) and S_odd fits 24 bits for
every input: accumulator_range proves it per channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.graph import Clamp
from harness.kernels.requant import Int32s, Requant, accumulator_range, requant
from harness.oracle.fixedpoint import Ints

CHANNELS = 4
"""Channels a block."""

TAPS = 4
"""Taps a group."""

BLOCK_WORDS = 9
"""Words of a block beside its weights."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """What a convolution or fully connected layer multiplies with.

    Attributes:
        weights: int64, (channels, taps); zero for channels that are constant.
        bias: int64, (channels,), with the input's zero point folded in.
        requant: constants of the fast form; no channel of them is constant.
        offset: 2 * zero point of the output + 1.
        carries: whether two channels may share a lane.
    """

    weights: Ints
    bias: Ints
    requant: Requant
    offset: int
    carries: bool


def matrix(
    weights: Ints, bias: Ints, multipliers: Int32s, shifts: Int32s, zero_point: int, clamp: Clamp
) -> Matrix | None:
    """The layer ready for packing, or None when the fast requantization is not exact for it.

    Args:
        weights: int64, (channels, taps).
        bias: int64, (channels,), input zero point folded in, not wrapped.
        multipliers, shifts: per channel; zero_point, clamp: of the output.
    """
    low, high = accumulator_range(weights, bias)
    fast = requant(multipliers, shifts, zero_point, clamp, low, high)
    if fast is None:
        return None
    # A constant output k is made by accumulator 4 * (k - zero point), which the multiplier halves and the shift halves.
    constant, outputs = fast.constant, fast.addend.astype(np.int64) >> 1
    weights = np.where(constant[:, None], 0, weights)
    bias = np.where(constant, 4 * (outputs - zero_point), bias)
    multiplier = np.where(constant, 1 << 30, fast.multiplier).astype(np.int32)
    addend = np.where(constant, 2 * zero_point + 1, fast.addend).astype(np.int32)
    settled = Requant(multiplier, addend, fast.shift, fast.ties, np.zeros_like(constant))
    return Matrix(weights, bias, settled, 2 * zero_point + 1, _carries(weights, bias))


def _carries(weights: Ints, bias: Ints) -> bool:
    """Whether lanes of two neighbouring channels are exact."""
    low, high = accumulator_range(weights, bias)
    odd = slice(1, None, 2)
    wide = (low[odd] < -(1 << 23)) | (high[odd] >= 1 << 23)
    pairs = len(weights) // 2
    lanes = 256 * weights[odd] + weights[0::2][:pairs]
    return not wide.any() and bool((lanes >= -(1 << 15)).all())


def blocks(channels: int) -> int:
    """Blocks for so many channels."""
    return -(-channels // CHANNELS)


def column_order(rows: int, run: int) -> Ints:
    """Index of the tap at each place of a column, -1 where there is none: the order of im2col_dsp.h.

    Args:
        rows: runs of a window.
        run: bytes a run; tap ky * run + i is byte i of run ky.
    """
    order: list[int] = []
    tail: list[int] = []

    def flush() -> None:
        order.extend([*reversed(tail), *[-1] * (TAPS - len(tail))])
        tail.clear()

    whole = run - run % TAPS
    for row in range(rows):
        order.extend(range(row * run, row * run + whole))
        for tap in range(row * run + whole, (row + 1) * run):
            tail.append(tap)
            if len(tail) == TAPS:
                flush()
    if tail:
        flush()
    return np.array(order, np.int64)


def pack(layer: Matrix, order: Ints, *, carry: bool) -> Int32s:
    """The words of all blocks, taps in `order` (see column_order)."""
    channels = blocks(len(layer.weights)) * CHANNELS
    extra = channels - len(layer.weights)
    taps = np.where(order >= 0, layer.weights[:, np.maximum(order, 0)], 0)
    # (block, pair, even or odd, group, half, first or second tap): taps 0, 2 and 1, 3 of a group go together.
    lanes = _padded(taps, extra).reshape(-1, 2, 2, len(order) // TAPS, 2, 2).swapaxes(4, 5)
    even, odd = lanes[:, :, 0], lanes[:, :, 1]
    halves = (256 * odd + even) if carry else ((odd & 255) << 8 | even & 255)
    words = (halves[..., 0] & 0xFFFF) | (halves[..., 1] & 0xFFFF) << 16
    # (block, pair, group, half) -> (block, group, half, pair)
    weights = words.transpose(0, 2, 3, 1).reshape(len(words), -1)
    sums = _padded(layer.bias, extra).reshape(-1, CHANNELS)
    if carry:
        pairs = sums.reshape(-1, 2, 2)
        sums = np.stack([256 * pairs[..., 1] + pairs[..., 0], pairs[..., 0]], axis=-1).reshape(-1, CHANNELS)
    multipliers = _padded(layer.requant.multiplier, extra).reshape(-1, CHANNELS)
    shifts = np.maximum(_padded(layer.requant.shift, extra) - 1, 0).reshape(-1, CHANNELS)
    shift_words = (shifts << np.arange(0, 32, 8)).sum(axis=1, keepdims=True)
    everything = np.concatenate([sums, weights, multipliers, shift_words], axis=1)
    return (everything.reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)


def _padded(data: npt.ArrayLike, extra: int) -> Ints:
    array = np.asarray(data, np.int64)
    return np.concatenate([array, np.zeros((extra, *array.shape[1:]), np.int64)])


def clamp_fields(layer: Matrix, clamp: Clamp) -> dict[str, int]:
    """Fields offset, general, low and high of gemm_dsp_shape."""
    low, high = (int(np.uint32(0x01010101 * (end & 255)).view(np.int32)) for end in clamp)
    general = layer.requant.ties or clamp != (-128, 127)
    return {"offset": layer.offset, "general": int(general), "low": low, "high": high}
