"""Weights packed for the inner kernels of firmware/kernels/gemm_dsp.h, and the proof that they are exact.

Four output channels make a block of words: what the sums start with, weights, constants of the requantization. Weights
are 4 words a group of four taps: channels 0, 1 and channels 2, 3 at taps 0 and 2, then the same at taps 1 and 3. A word
holds two channels at two taps, as bytes even, odd channel at the first tap, then at the second. There are six forms.

`plain`: the kernels take the bytes apart. 4 words of bias; weights; 4 multipliers; a word of four shifts, less one each
(requant.py: the kernels shift by the last one as they saturate).

`carry`: the two halves of a word are 256 * odd + even as int16, so that the kernels multiply both channels at once:

    P = sum(lane * x) = 256 * S_odd + S_even (mod 2**32),   Q = sum(even * x) = S_even,   S_odd = (P - Q) / 256

which is exact when every lane is an int16 (no odd weight is -128 beside a negative even one) and S_odd fits 24 bits for
every input: sums_range proves it per channel. What P and Q of both pairs start with; weights; the rest as above.

`line`: sums as in `carry`, and the requantization of requant_linear.py, where it is exact for every channel. P starts
as 256 * bias + offset of the odd channel and Q as 0, so that P - Q = 256 * S_odd + offset; the even channel's constant
is added to 256 * Q at the end. What P of both pairs starts with; weights; 4 multipliers; constants of channels 0 and 2.

`float`: weights as in `plain`, of layers that round as ONNX Runtime does, exact for all of them. 4 words of bias;
weights; 4 factors of float32.

`general`: weights as in `plain`, and TFLM's own requantization of any sum with any shift, exact for every layer that
rounds as TFLM does: of real multipliers of 1/2 and more, too, which it shifts left. 4 words of bias; weights; for each
channel its multiplier and a word, the left shift in the low byte and the right one above it.

`int4`: weights of four bits. Four channels share an int16, so that a group of taps takes 2 words:

    A = sum(lane * x) = 4096 * S3 + 256 * S2 + 16 * S1 + S0 (mod 2**32),   S3 = (A - D) / 4096, S2 = (D - B) / 256, ...

where D, B and C are the sums of the lanes' lowest 12, 8 and 4 bits. The lower three nibbles count from -8, which a sum
of the activations makes good (gemm_int4_dsp_asm.h). Exact when what is divided fits 32 bits: S3 20 bits, S2 24 and S1
28, over all inputs and without the bias. Weights; doubled bias; multipliers and shifts as in `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.kernels.convolution_dsp_loops import CHANNELS, TAPS
from harness.kernels.quantized_layer import QuantizedLayer
from harness.kernels.requant import Int32s, Requant
from harness.kernels.requant_linear import SCALE_BITS, LinearRequant, linear
from harness.quantization.fixedpoint import Ints
from harness.quantization.shared_values import is_int4
from harness.quantization.staircase import sums_range
from harness.quantization.types import Rounding

Form: TypeAlias = Literal["plain", "carry", "line", "float", "general", "int4"]

EXTRA_WORDS: dict[Form, int] = {"plain": 9, "carry": 9, "line": 8, "float": 8, "general": 12, "int4": 9}
"""Words of a block beside its weights."""
_BYTE_APART: tuple[Form, ...] = ("plain", "float", "general")
"""Forms whose kernels take the bytes of weights apart."""

START_WORDS: dict[Form, int] = {"plain": 4, "carry": 4, "line": 2, "float": 4, "general": 4, "int4": 0}
"""Words of a block before its weights."""

GROUP_WORDS: dict[Form, int] = {"plain": 4, "carry": 4, "line": 4, "float": 4, "general": 4, "int4": 2}
"""Words of a block's weights at a group of taps."""


def block_words(form: Form, groups: int) -> int:
    """Words of four channels' packed weights."""
    return EXTRA_WORDS[form] + GROUP_WORDS[form] * groups


@dataclass(frozen=True, eq=False)
class Matrix:
    """What a convolution or fully connected layer multiplies with.

    Attributes:
        layer: as the model has it.
        weights: int64 [channels, taps]; zero for channels that are constant.
        bias: int64 [channels], with the input's zero point folded in.
        requant: constants of the fast form; no channel of them is constant. None where there are none.
        line: constants of the form for a fused RELU; not exact for every channel if `lines` is False.
        carries: whether two channels may share a lane.
    """

    layer: QuantizedLayer
    weights: Ints
    bias: Ints
    requant: Requant | None
    line: LinearRequant
    carries: bool

    @property
    def lines(self) -> bool:
        """Whether the form `line` is exact."""
        return self.carries and self.layer.saturates and bool(self.line.exact.all())

    def allows(self, form: Form) -> bool:
        """Whether a form is exact for every channel and input."""
        if form == "line":
            return self.lines
        if form in ("float", "general"):
            return self.layer.rounding is (Rounding.ONNX if form == "float" else Rounding.TFLM)
        if self.requant is None:
            return False
        if form == "int4":
            return self.shares_nibbles
        return self.carries or form == "plain"

    @cached_property
    def shares_nibbles(self) -> bool:
        """Whether the form `int4` is exact."""
        if not is_int4(self.weights):
            return False
        low, high = sums_range(self.weights, np.zeros_like(self.bias), self.layer.in_range)
        return all(
            bool((np.maximum(-low, high + 1)[channel::CHANNELS] <= 1 << bits).all())
            for channel, bits in ((1, 27), (2, 23), (3, 19))
        )


@lru_cache(maxsize=512)
def matrix(layer: QuantizedLayer) -> Matrix:
    """The layer ready for packing."""
    zero_point, clamp = layer.zero_point, layer.clamp
    fast = layer.rounded()
    if fast is None:
        carries = _carries(layer.weights, *layer.accumulators)
        return Matrix(layer, layer.weights, layer.folded_bias, None, layer.linear, carries)
    # A constant output k is made by accumulator 4 * (k - zero point), which the multiplier halves and the shift halves.
    constant, outputs = fast.constant, fast.addend.astype(np.int64) >> 1
    weights = np.where(constant[:, None], 0, layer.weights)
    bias = np.where(constant, 4 * (outputs - zero_point), layer.folded_bias)
    multiplier = np.where(constant, 1 << 30, fast.multiplier).astype(np.int32)
    addend = np.where(constant, 2 * zero_point + 1, fast.addend).astype(np.int32)
    settled = Requant(multiplier, addend, fast.shift, fast.left, fast.ties, np.zeros_like(constant))
    low, high = sums_range(weights, bias, layer.in_range)
    line = linear(multiplier, -fast.shift, zero_point, clamp, low, high)
    return Matrix(layer, weights, bias, settled, line, _carries(weights, low, high))


def _carries(weights: Ints, low: Ints, high: Ints) -> bool:
    """Whether lanes of two neighbouring channels are exact."""
    odd = slice(1, None, 2)
    wide = (low[odd] < -(1 << 23)) | (high[odd] >= 1 << 23)
    pairs = len(weights) // 2
    lanes = 256 * weights[odd] + weights[0::2][:pairs]
    return not wide.any() and bool((lanes >= -(1 << 15)).all())


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


def pack(made: Matrix, order: Ints, form: Form) -> Int32s:
    """The words of all blocks, taps in `order` (see column_order)."""
    extra = -len(made.weights) % CHANNELS
    weights = made.layer.weights if form == "general" else made.weights
    taps = np.where(order >= 0, weights[:, np.maximum(order, 0)], 0)
    # (block, pair, even or odd, group, half, first or second tap): taps 0, 2 and 1, 3 of a group go together.
    lanes = _padded(taps, extra).reshape(-1, 2, 2, len(order) // TAPS, 2, 2).swapaxes(4, 5)
    if form == "int4":
        parts = [_nibbles(lanes), _starts(made, extra, form), _ends(made, extra, form)]
        return _as_words(np.concatenate(parts, axis=1))
    even, odd = lanes[:, :, 0], lanes[:, :, 1]
    halves = (odd & 255) << 8 | even & 255 if form in _BYTE_APART else 256 * odd + even
    words = (halves[..., 0] & 0xFFFF) | (halves[..., 1] & 0xFFFF) << 16
    # (block, pair, group, half) -> (block, group, half, pair)
    in_order = words.transpose(0, 2, 3, 1).reshape(len(words), -1)
    return _as_words(np.concatenate([_starts(made, extra, form), in_order, _ends(made, extra, form)], axis=1))


def _as_words(numbers: Ints) -> Int32s:
    words: Int32s = (numbers.reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return words


def _nibbles(lanes: Ints) -> Ints:
    """(block, group and half): four channels a half word, all but the last counted from -8."""
    first, second, third, last = (lanes[:, channel // 2, channel % 2] for channel in range(CHANNELS))
    halves = (last & 15) << 12 | (third + 8) << 8 | (second + 8) << 4 | first + 8
    words: Ints = halves[..., 0] | halves[..., 1] << 16
    return words.reshape(len(words), -1)


def _starts(made: Matrix, extra: int, form: Form) -> Ints:
    bias = _padded(made.layer.folded_bias if form == "general" else made.bias, extra).reshape(-1, CHANNELS)
    if form in _BYTE_APART:
        return bias
    if form == "int4":
        return 2 * bias
    if form == "line":
        return _line_constants(made, extra)[:, 1::2]
    even, odd = bias[:, 0::2], bias[:, 1::2]
    return np.stack([256 * odd + even, even], axis=-1).reshape(-1, CHANNELS)


def _ends(made: Matrix, extra: int, form: Form) -> Ints:
    if form == "line":
        multipliers = _padded(made.line.multiplier, extra).reshape(-1, CHANNELS)
        return np.concatenate([multipliers, _line_constants(made, extra)[:, 0::2]], axis=1)
    if form == "float":
        return _padded(made.layer.factors.view(np.int32), extra).reshape(-1, CHANNELS)
    if form == "general":
        shifts = made.layer.shifts.astype(np.int64)
        words = np.maximum(shifts, 0) | np.maximum(-shifts, 0) << 8
        return _padded(np.stack([made.layer.multipliers, words], axis=1), extra).reshape(-1, 2 * CHANNELS)
    assert made.requant is not None, "Matrix.allows has refused the form"
    multipliers = _padded(made.requant.multiplier, extra).reshape(-1, CHANNELS)
    shifts = np.maximum(_padded(made.requant.shift, extra) - 1, 0).reshape(-1, CHANNELS)
    return np.concatenate([multipliers, (shifts << np.arange(0, 32, 8)).sum(axis=1, keepdims=True)], axis=1)


def _line_constants(made: Matrix, extra: int) -> Ints:
    """(block, channel): what 256 times a channel's sum of products lacks."""
    return _padded((made.bias << SCALE_BITS) + made.line.offset, extra).reshape(-1, CHANNELS)


def _padded(data: npt.ArrayLike, extra: int) -> Ints:
    array = np.asarray(data, np.int64)
    return np.concatenate([array, np.zeros((extra, *array.shape[1:]), np.int64)])


def gemm_fields(made: Matrix, groups: int, form: Form) -> dict[str, int]:
    """The field `gemm` of a shape: a gemm_dsp_shape."""
    layer = made.layer
    low, high = (int(np.uint32(0x01010101 * (end & 255)).view(np.int32)) for end in layer.clamp)
    offset = layer.zero_point if form in ("float", "general") else 2 * layer.zero_point + 1
    fields = {"groups": groups, "channels": len(made.weights), "offset": offset}
    fields |= {"clamped": int(not layer.saturates), "low": low, "high": high}
    return {f"gemm.{name}": value for name, value in fields.items()}
