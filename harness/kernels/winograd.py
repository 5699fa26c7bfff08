"""Winograd's convolutions F(4x4, 3x3) in exact integers: the proof, and weights packed for them.

16 outputs of a tile are A^T ((G w G^T) * (B^T x B)) A, 36 products of each input channel instead of 144. G and A^T have
fractions; the kernels have multiples of them, which are integers:

    G = 3 0 0      B^T = 4  0 -5  0 1 0      A^T = 2 -4 -4 1  1 0      S = 24
        1 1 1            0 -4 -4  1 1 0            0 -2  2 1 -1 0          12
        1 -1 1           0  4 -4 -1 1 0            0 -1 -1 1  1 0           6
        1 2 4            0 -2 -1  2 1 0            0 -1  1 2 -2 2           6
        1 -2 4           0  2 -1 -2 1 0
        0 0 3            0  4  0 -5 0 1

so that what comes out at row i and column j is S_i * S_j times the sum of products, an identity of polynomials.

* Inputs are bytes raised by 128, 0..255; what that adds to the sums, as the zero point does, goes into the bias. Then
  every element of B^T x B lies within 255 times the positive and the negative parts of its coefficients, 17,340 at most
  in magnitude, and of G w G^T within 128 * 7 * 7 = 6,272: both are int16.
* Everything from there on is sums and products of integers modulo 2^32, where the identity holds as well.
* S_i * S_j = 9 * 2^k, k = 6 at most. What comes out, times the inverse of 9 modulo 2^32, is 2^k times the sum modulo
  2^32, and that is a number of 32 bits where the sum is one of 26: an arithmetic shift to the right gives the sum.

So the one condition is that no channel's sum of products with 0..255 leaves 26 bits: 255 times its positive weights,
and 255 times its negative ones, less than 2^25 (`exact`). It holds for any weights of up to 114 input channels. No
weight is excluded: -128 is as good as any. The requantization is requant.py's, with its own conditions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.kernels.constants import constant
from harness.kernels.convolution_dsp_loops import CHANNELS
from harness.kernels.gemm import Matrix
from harness.kernels.requant import Int32s
from harness.kernels.requant_linear import SCALE_BITS
from harness.quantization.fixedpoint import Ints, wrap32

TILE = 4
"""Rows and columns of a tile's outputs."""

POSITIONS = 36
"""Elements of a transformed tile."""

END_WORDS = constant("winograd_end.h", "HIL_WINOGRAD_END_WORDS")
"""Words after a position's channels."""

RAISED = 128
"""What is added to inputs."""

SUM_BITS = 25
"""Sums of products of raised inputs have so many bits at most, beside the sign."""


def exact(weights: Ints) -> npt.NDArray[np.bool_]:
    """The channels whose sums fit, of weights [channels, taps]."""
    largest = np.maximum(np.maximum(weights, 0).sum(axis=1), -np.minimum(weights, 0).sum(axis=1))
    fits: npt.NDArray[np.bool_] = 255 * largest < 1 << SUM_BITS
    return fits


def pack_weights(weights: Ints, in_c: int) -> Int32s:
    """Words of int8 [channel, row, column, input channel], channels of both kinds filled up to fours with zeros."""
    taps = weights.reshape(len(weights), -1, in_c)
    filled = [(0, -len(weights) % CHANNELS), (0, 0), (0, -in_c % CHANNELS)]
    words: Int32s = np.ascontiguousarray(np.pad(taps, filled).astype(np.int8)).reshape(-1).view(np.int32)
    return words


def pack_channels(made: Matrix, line: bool) -> Int32s:
    """Constants of each channel: what twice its sum starts with, multiplier, addend, shift less one.

    With `line`, by requant_linear.py: what 256 times its sum starts with, multiplier, and nothing.
    """
    requant = made.requant
    assert requant is not None, "only what requant.py rounds"
    bias = made.bias - RAISED * made.weights.sum(axis=1)
    columns: list[npt.ArrayLike] = [wrap32(2 * bias), requant.multiplier, requant.addend, requant.shift - 1]
    if line:
        none = np.zeros_like(bias)
        columns = [wrap32((bias << SCALE_BITS) + made.line.offset), made.line.multiplier, none, none]
    table = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
    filled = np.pad(table, [(0, -len(table) % CHANNELS), (0, 0)])
    words: Int32s = filled.astype(np.int32).reshape(-1)
    return words
