"""Weights of four bits, four channels a lane: what the inner kernels compute is the layer, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.kernels.gemm import Matrix, block_words, column_order, matrix, pack
from harness.kernels.quantized_layer import QuantizedLayer
from harness.kernels.requant import apply
from harness.quantization.fixedpoint import Ints, wrap32
from tests.support.requantized import specified
from tests.support.scale import scaled

WHOLE = (-128, 127)
MULTIPLIER = 1518500250


def layer(weights: Ints, bias: Ints, shift: int = -5) -> Matrix:
    channels = len(weights)
    multipliers, shifts = np.full(channels, MULTIPLIER, np.int32), np.full(channels, shift, np.int32)
    made = matrix(QuantizedLayer(weights, bias, multipliers, shifts, in_zero=0, zero_point=-3, clamp=WHOLE))
    assert made is not None
    return made


def computed(packed: Ints, made: Matrix, column: Ints) -> Ints:
    """Outputs of one pixel as gemm_4x1_int4_dsp computes them, modulo 2^32."""
    groups, channels = len(column) // 4, len(made.weights)
    x = column.reshape(groups, 2, 2).swapaxes(1, 2).reshape(-1, 2)  # a word: taps 0, 2 or 1, 3
    outputs = []
    for number, block in enumerate(packed.reshape(-1, block_words("int4", groups)).astype(np.int64)):
        words = block[: 2 * groups] & 0xFFFFFFFF
        lanes = np.stack([words & 0xFFFF, words >> 16], axis=-1)
        start = -8 * int(column.sum())
        c = wrap32(start + ((lanes & 0xF) * x).sum())
        b = wrap32(17 * start + ((lanes & 0xFF) * x).sum())
        d = wrap32(273 * start + ((lanes & 0xFFF) * x).sum())
        a = wrap32(273 * start + ((lanes << 48 >> 48) * x).sum())
        doubled = [int(c) << 1, int(wrap32(b - c)) >> 3, int(wrap32(d - b)) >> 7, int(wrap32(a - d)) >> 11]
        for index, total in enumerate(doubled):
            if 4 * number + index < channels:
                whole = int(wrap32(total + block[2 * groups + index])) >> 1
                outputs.append(int(apply(np.full(channels, whole), made.requant, WHOLE)[4 * number + index]))
    return np.array(outputs)


def wanted(weights: Ints, bias: Ints, x: Ints, shift: int = -5) -> Ints:
    return specified(weights @ x + bias, MULTIPLIER, shift, -3, WHOLE)


@settings(max_examples=scaled(40, 400))
@given(st.integers(0, 2**32 - 1))
def test_packed_weights_compute_the_layer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, run, channels = (int(rng.integers(1, high)) for high in (4, 14, 10))
    draw = rng.choice([-8, 7], (channels, rows * run)) if seed % 3 == 0 else rng.integers(-8, 8, (channels, rows * run))
    bias = rng.integers(-3000, 3000, channels)
    made = layer(draw, bias)
    assert made.allows("int4")
    x = rng.choice([-128, 127], rows * run) if seed % 2 else rng.integers(-128, 128, rows * run)
    order = column_order(rows, run)
    # Places without a tap hold anything.
    column = np.where(order >= 0, x[np.maximum(order, 0)], rng.integers(-128, 128, len(order)))
    np.testing.assert_array_equal(computed(pack(made, order, "int4"), made, column), wanted(draw, bias, x))


@pytest.mark.parametrize(("value", "fits"), [(7, True), (8, False), (-8, True), (-9, False)])
def test_weights_must_be_of_four_bits(value: int, fits: bool) -> None:
    assert layer(np.array([[value, 1, 2, 3]] * 4), np.zeros(4, np.int64)).allows("int4") is fits


@pytest.mark.parametrize(
    ("channel", "taps", "value", "fits"),
    [
        # -8 * -128 * 512 = 2^19, which counts 4096 times
        (3, 511, -8, True),
        (3, 512, -8, False),
        (3, 585, 7, True),
        (3, 586, 7, False),
        # other channels have more room
        (0, 586, 7, True),
        (1, 586, 7, True),
        (2, 8191, -8, True),
        (2, 8192, -8, False),
    ],
)
def test_sums_must_fit(channel: int, taps: int, value: int, fits: bool) -> None:
    weights, bias = np.zeros((4, taps), np.int64), np.zeros(4, np.int64)
    weights[:, 0] = 1
    weights[channel] = value
    made = layer(weights, bias, -16)
    assert made.allows("int4") is fits
    order = column_order(1, taps)
    for end in (-128, 127) if fits else ():
        column = np.where(order >= 0, end, 99)
        outputs = computed(pack(made, order, "int4"), made, column)
        np.testing.assert_array_equal(outputs, wanted(weights, bias, np.full(taps, end), -16))
