"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM, int8, with the DSP extension."""

from __future__ import annotations

import numpy as np

from harness.kernels.base import Kernel
from harness.kernels.lstm import LstmS8Portable
from harness.kernels.svdf import SvdfS8Portable, SvdfS8S16Portable
from harness.quantization.fixedpoint import Ints

_DSP = frozenset({"dsp"})
_ORDER = (0, 2, 1, 3)
"""Taps of a group, in the order in which SXTB16 takes them."""


def quads_of_pairs(weights: Ints) -> Ints:
    """Rows of weights [4 * n, taps] as quad_s8_dsp.h wants them."""
    rows, taps = weights.shape
    whole = taps - taps % 4
    quads = weights.reshape(rows // 4, 4, taps)
    groups = quads[:, :, :whole].reshape(len(quads), 2, 2, whole // 4, 4)[..., _ORDER]
    # [quad, pair of rows, row, group, pair of taps, tap] -> [quad, group, pair of taps, pair of rows, tap, row]
    split = groups.reshape(len(quads), 2, 2, whole // 4, 2, 2).transpose(0, 3, 4, 1, 5, 2)
    rest = quads[:, :, whole:].transpose(0, 2, 1)
    return np.concatenate([split.reshape(len(quads), -1), rest.reshape(len(quads), -1)], axis=1).reshape(-1)


class SvdfS8Dsp(SvdfS8Portable):
    """SVDF with a state of int8."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "svdf_s8_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)


class SvdfS8S16Dsp(SvdfS8S16Portable):
    """SVDF with a state of int16."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "svdf_s8_s16_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)


class LstmS8Dsp(LstmS8Portable):
    """UNIDIRECTIONAL_SEQUENCE_LSTM."""

    features = _DSP
    superseded_by = frozenset({"mve"})
    function = "lstm_s8_dsp"

    def pack(self, weights: Ints) -> Ints:
        """See quads_of_pairs."""
        return quads_of_pairs(weights)


KERNELS: tuple[Kernel, ...] = (SvdfS8Dsp(), SvdfS8S16Dsp(), LstmS8Dsp())
