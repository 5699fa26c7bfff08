"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM, int8, on Armv8.1-M MVE."""

from __future__ import annotations

import numpy as np

from harness.kernels.base import ConstantTable, Kernel, packed
from harness.kernels.context import Context
from harness.kernels.lstm import (
    LstmS8Portable,
    LstmS16Portable,
    as_it_is,
    has_wide_factors,
    largest_sum,
    params_of,
    starts_of,
    wide,
)
from harness.kernels.mve import LANES
from harness.kernels.mve_kernel import MVE
from harness.kernels.svdf import SvdfS8Portable, SvdfS8S16Portable
from harness.kernels.work import Reuse, Work
from harness.quantization.fixedpoint import Ints
from harness.quantization.params import Multiplier


def quads_of_lanes(weights: Ints, lanes: int = LANES) -> Ints:
    """Rows of weights [4 * n, taps] as quad_s8_mve.h wants them, `lanes` taps of a row side by side."""
    padded = np.pad(weights, ((0, 0), (0, -weights.shape[1] % lanes)))
    return padded.reshape(len(padded) // 4, 4, -1, lanes).transpose(0, 2, 1, 3).reshape(-1)


class SvdfS8Mve(SvdfS8Portable):
    """SVDF with a state of int8."""

    features = MVE
    function = "svdf_s8_mve"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_lanes."""
        return quads_of_lanes(weights)


class SvdfS8S16Mve(SvdfS8S16Portable):
    """SVDF with a state of int16."""

    features = MVE
    function = "svdf_s8_s16_mve"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_lanes."""
        return quads_of_lanes(weights)


class LstmS8Mve(LstmS8Portable):
    """UNIDIRECTIONAL_SEQUENCE_LSTM, four units at a time."""

    features = MVE
    function = "lstm_s8_mve"
    lanes = LANES

    def rows(self, weights: Ints) -> Ints:
        """Weights or starts [4, units, ...], by block of four units, gate and unit, to the end of the last block."""
        units = weights.shape[1]
        padded = np.pad(weights, ((0, 0), (0, -units % 4), (0, 0)))
        by_block = padded.reshape(4, len(padded[0]) // 4, 4, -1).transpose(1, 0, 2, 3)
        return by_block.reshape(-1, weights.shape[2])

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_lanes."""
        return quads_of_lanes(weights, self.lanes)

    def starts(self, fed: Ints, back: Ints) -> Ints:
        """By block and gate: four of the sums over inputs, four of those over hidden values."""
        parts = [self.rows(part[..., np.newaxis]).reshape(-1, 1, 4) for part in (fed, back)]
        return np.concatenate(parts, axis=1)

    def work(self, context: Context) -> Work:
        units, depth = context.output().shape[-1], context.input().shape[-1]
        steps = context.output().elements // units
        blocks = steps * -(-units // 4)
        rounds = -(-depth // self.lanes) + -(-units // self.lanes)
        weights = Reuse("weights", 16 * -(-units // 4) * self.lanes * rounds, steps)
        return Work({"block": blocks, "round": 4 * blocks * rounds, "step": steps}, (weights,))


class LstmS16Mve(LstmS8Mve):
    """The same of int16 activations, where sums fit 32 bits and factors are single multipliers."""

    types = LstmS16Portable.types
    function = "lstm_s16_mve"
    activation = "int16_t"
    lanes = LANES // 2

    @staticmethod
    def scale(name: str, factor: Multiplier) -> dict[str, int]:
        """Of a gate's sums, or of a product of gates."""
        return wide(factor) if "[" in name else as_it_is(name, factor)

    def applies(self, context: Context) -> bool:
        """See above."""
        return has_wide_factors(params_of(context)) and largest_sum(context, 1 << 15) < 1 << 31

    def start_table(self, context: Context) -> ConstantTable:
        """The biases, by block of four units, gate and unit."""
        biases = self.rows(starts_of(context)[0][..., np.newaxis])
        return ConstantTable("biases", "int32_t", packed(biases, "int32"))


KERNELS: tuple[Kernel, ...] = (SvdfS8Mve(), SvdfS8S16Mve(), LstmS8Mve(), LstmS16Mve())
