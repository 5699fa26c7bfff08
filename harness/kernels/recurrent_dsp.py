"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM, int8, with the DSP extension."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.kernels.base import ConstantTable, Kernel, packed
from harness.kernels.context import Context
from harness.kernels.lstm import (
    LstmS8Portable,
    LstmS16Portable,
    factors_of,
    has_wide_factors,
    largest_sum,
    params_of,
    starts_of,
    wide,
)
from harness.kernels.svdf import SvdfS8Portable, SvdfS8S16Portable
from harness.quantization.fixedpoint import Ints
from harness.quantization.params import Multiplier

_DSP = frozenset({"dsp"})
_ORDER = (0, 2, 1, 3)
"""Taps of a group, in the order in which SXTB16 takes them."""


def quads_of_pairs(weights: Ints, order: Sequence[int] = _ORDER) -> Ints:
    """Rows of weights [4 * n, taps] as quad_s8_dsp.h wants them, four taps in an order."""
    rows, taps = weights.shape
    whole = taps - taps % 4
    quads = weights.reshape(rows // 4, 4, taps)
    groups = quads[:, :, :whole].reshape(len(quads), 2, 2, whole // 4, 4)[..., list(order)]
    # [quad, pair of rows, row, group, pair of taps, tap] -> [quad, group, pair of taps, pair of rows, tap, row]
    split = groups.reshape(len(quads), 2, 2, whole // 4, 2, 2).transpose(0, 3, 4, 1, 5, 2)
    rest = quads[:, :, whole:].transpose(0, 2, 1)
    return np.concatenate([split.reshape(len(quads), -1), rest.reshape(len(quads), -1)], axis=1).reshape(-1)


def words(name: str, values: Ints) -> ConstantTable:
    """A table of weights that lies at a word boundary."""
    return ConstantTable(name, "int32_t", packed(values, "int8").view("<i4"))


def rounded(factor: Multiplier) -> dict[str, int]:
    """A right shift of 1 and more, with the half that rounds it (requant.py)."""
    return {"multiplier": factor.m, "shift": -factor.shift, "half": 1 << (-factor.shift - 1)}


class SvdfS8Dsp(SvdfS8Portable):
    """SVDF with a state of int8."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "svdf_s8_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """See words."""
        return words(name, values)


class SvdfS8S16Dsp(SvdfS8S16Portable):
    """SVDF with a state of int16."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "svdf_s8_s16_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """See words."""
        return words(name, values)


class LstmS8GeneralDsp(LstmS8Portable):
    """UNIDIRECTIONAL_SEQUENCE_LSTM, whatever its factors are."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "lstm_s8_general_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """See words."""
        return words(name, values)


class LstmS8Dsp(LstmS8GeneralDsp):
    """The same where every factor shifts right and no sum reaches 2^30: five instructions for a product with one."""

    function = "lstm_s8_dsp"

    @staticmethod
    def scale(name: str, factor: Multiplier) -> dict[str, int]:
        """See rounded."""
        return rounded(factor)

    def applies(self, context: Context) -> bool:
        """See above."""
        right = all(-31 <= factor.shift <= -1 for factor in factors_of(params_of(context)).values())
        return right and largest_sum(context, 1 << 7) < 1 << 30


class LstmS16Dsp(LstmS16Portable):
    """UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations, where sums fit 30 bits and factors are as above."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "lstm_s16_dsp"

    @staticmethod
    def scale(name: str, factor: Multiplier) -> dict[str, int]:
        """Of a gate's sums, or of a product of gates."""
        return wide(factor) if "[" in name else rounded(factor)

    def applies(self, context: Context) -> bool:
        """See above."""
        params = params_of(context)
        right = all(-31 <= factor.shift <= -1 for factor in (params.forget, params.added, params.hidden))
        return right and has_wide_factors(params) and largest_sum(context, 1 << 15) < 1 << 30

    def start_table(self, context: Context) -> ConstantTable:
        """The biases, in 32 bits."""
        return ConstantTable("biases", "int32_t", packed(starts_of(context)[0].T, "int32"))

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights, range(4))

    def weights(self, name: str, values: Ints) -> ConstantTable:
        """See words."""
        return words(name, values)


KERNELS: tuple[Kernel, ...] = (SvdfS8Dsp(), SvdfS8S16Dsp(), LstmS8GeneralDsp(), LstmS8Dsp(), LstmS16Dsp())
