"""A small audio front end of our own: 480 samples -> 20 channels of a filter bank, less their noise, as logarithms."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.signal_fft import EnergyAttrs, FftAttrs
from harness.ir.operators.signal_filter_bank import LogAttrs, SubtractionAttrs
from harness.ir.operators.signal_window import WindowAttrs
from harness.quantization.types import DType
from tests.support.builders.signal import held_by
from tests.support.draft import Draft

SAMPLES, LENGTH, CHANNELS = 480, 512, 20
_ONE = 1 << 14


def front_end() -> Graph:
    draft = Draft(np.random.default_rng(0))
    x = draft.tensor((1, SAMPLES), None, DType.INT16)
    draft.inputs.append(x)
    hann = draft.constant(np.round(4096 * np.hanning(SAMPLES)).astype(np.int16), None)
    windowed = draft.node("SignalWindow", (x, hann), (draft.like(x, (1, SAMPLES)),), WindowAttrs(12))
    row = draft.node("RESHAPE", (windowed,), (draft.like(x, (SAMPLES,)),), NoAttrs())
    scaled, bits = draft.like(x, (SAMPLES,)), draft.tensor((), None, DType.INT32)
    draft.node("SignalFftAutoScale", (row,), (scaled, bits), NoAttrs())
    spectrum = draft.node("SignalRfft", (scaled,), (draft.like(x, (LENGTH + 2,)),), FftAttrs(LENGTH))
    bins = LENGTH // 2 + 1
    energies = draft.tensor((bins,), None, DType.UINT32)
    draft.node("SignalEnergy", (spectrum,), (energies,), EnergyAttrs(0, bins))
    width = 10  # every frequency belongs to a channel and, the rest of it, to the next one
    weights = np.tile(np.linspace(0, 4096, width), CHANNELS + 1).astype(np.int16)
    starts = np.arange(CHANNELS + 1) * width
    tables = (weights, (4096 - weights).astype(np.int16), starts, starts, np.full(CHANNELS + 1, width))
    constants = tuple(draft.constant(t.astype(np.int16), None) for t in tables)
    bank = draft.tensor((CHANNELS,), None, DType.UINT64)
    draft.node("SignalFilterBank", (energies, *constants), (bank,), NoAttrs())
    roots, left, noise = (draft.tensor((CHANNELS,), None, DType.UINT32) for _ in range(3))
    draft.node("SignalFilterBankSquareRoot", (bank, bits), (roots,), NoAttrs())
    attrs = SubtractionAttrs(_ONE - 983, 983, False, 819, _ONE - 409, 409, 10, 14)
    states = held_by(draft, "SignalFilterBankSpectralSubtraction", roots, (left, noise), attrs)
    draft.node("SignalFilterBankSpectralSubtraction", (roots,), (left, noise), attrs, states)
    log = draft.tensor((CHANNELS,), None, DType.INT16)
    draft.node("SignalFilterBankLog", (left,), (log,), LogAttrs(64, 3))
    return draft.finish("front_end", (log,))
