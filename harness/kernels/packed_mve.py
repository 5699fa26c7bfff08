"""CONV_2D and FULLY_CONNECTED of weights that take four bits, on Armv8.1-M MVE.

Weights in -8..7 are multiplied as they are, two channels a byte (firmware/kernels/gemm_int4_mve.h). That is exact where
16 * odd + even fits a byte (only -8 beside a negative weight does not) and where 16 times every sum fits 32 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.convolution_mve import Conv1x1S8Mve, ConvS8Mve, ConvSmallStripS8Mve
from harness.kernels.fully_connected_mve import FullyConnectedRowsS8Mve, FullyConnectedS8Mve
from harness.kernels.mve import EIGHT, blocks
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.quantization.shared_values import is_int4

LARGEST_SUM = 1 << 27
"""Below which 16 times a sum fits 32 bits."""


def pairs_fit(layer: QuantizedLayer, starts: Sequence[int]) -> bool:
    """Whether weights are of four bits and two channels share a byte, the even one counted from a block's start."""
    return _pairs_fit(layer, tuple(sorted({start % 2 for start in starts})))


@lru_cache(maxsize=512)
def _pairs_fit(layer: QuantizedLayer, parities: tuple[int, ...]) -> bool:
    weights = layer.weights
    if not is_int4(weights):
        return False
    low, high = layer.accumulators
    if (low <= -LARGEST_SUM).any() or (high >= LARGEST_SUM).any():
        return False
    for parity in parities:
        even, odd = weights[parity::2], weights[parity + 1 :: 2]
        if (16 * odd + even[: len(odd)] < -128).any():
            return False
    return True


def _gemm_fits(context: Context) -> bool:
    layer = quantized_layer(context)
    return pairs_fit(layer, blocks(len(layer.weights), 4))


class Conv1x1S8Int4Mve(Conv1x1S8Mve):
    """1x1 convolutions of weights of four bits."""

    function = "conv_1x1_s8_int4_mve"
    int4 = True

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class ConvS8Int4Mve(ConvS8Mve):
    """Convolutions of any window of weights of four bits."""

    function = "conv_s8_int4_mve"
    int4 = True

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class ConvSmallStripS8Int4Mve(ConvSmallStripS8Mve):
    """The same with as little scratch as can be: two output pixels a strip."""

    function = "conv_s8_int4_mve"
    int4 = True

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


class FullyConnectedS8Int4Mve(FullyConnectedS8Mve):
    """Fully connected layers of weights of four bits, row by row."""

    function = "fully_connected_s8_int4_mve"
    int4 = True

    def applies(self, context: Context) -> bool:
        layer = quantized_layer(context)
        return super().applies(context) and pairs_fit(layer, range(0, len(layer.weights), EIGHT))


class FullyConnectedRowsS8Int4Mve(FullyConnectedRowsS8Mve):
    """Fully connected layers of two rows and more, of weights of four bits: a 1x1 convolution."""

    function = "conv_1x1_s8_int4_mve"
    int4 = True

    def applies(self, context: Context) -> bool:
        return super().applies(context) and _gemm_fits(context)


KERNELS: tuple[Kernel, ...] = (
    Conv1x1S8Int4Mve(),
    ConvS8Int4Mve(),
    ConvSmallStripS8Int4Mve(),
    FullyConnectedS8Int4Mve(),
    FullyConnectedRowsS8Int4Mve(),
)
