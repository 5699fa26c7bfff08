"""Packed weights, read back as the inner kernels read them, against the specification, at the edges of every form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.kernels.gemm import EXTRA_WORDS, Form, Matrix, column_order, matrix, pack
from harness.kernels.quantized_layer import QuantizedLayer
from harness.kernels.requant import apply
from harness.kernels.requant_linear import apply as apply_line
from harness.quantization.fixedpoint import Ints, wrap32
from tests.support.requantized import specified
from tests.support.scale import scaled

WHOLE = (-128, 127)
MULTIPLIER = 1518500250


def layer(weights: Ints, bias: Ints, zero_point: int = -128, shift: int = -9) -> Matrix | None:
    channels = len(weights)
    multipliers, shifts = np.full(channels, MULTIPLIER, np.int32), np.full(channels, shift, np.int32)
    constants = (np.asarray(weights, np.int64), np.asarray(bias, np.int64), multipliers, shifts)
    return matrix(QuantizedLayer(*constants, in_zero=0, zero_point=zero_point, clamp=WHOLE))


def computed(packed: Ints, layer: Matrix, x: Ints, form: Form) -> Ints:
    """Outputs of one pixel, whose activations are in the order of the column: what the kernels do, in plain numpy."""
    channels, groups = len(layer.weights), len(x) // 4
    pairs = x.reshape(groups, 2, 2).swapaxes(1, 2)  # (group, half, tap): taps 0, 2 and 1, 3
    outputs = []
    for number, block in enumerate(packed.reshape(-1, EXTRA_WORDS[form] + 4 * groups).astype(np.int64)):
        starts = 2 if form == "line" else 4
        words = block[starts : starts + 4 * groups].reshape(groups, 2, 2)  # (group, half, pair)
        lanes = np.stack([words << 48 >> 48, words << 32 >> 48], axis=-1)
        even = lanes << 56 >> 56
        first = block[:starts].reshape(2, -1)
        for pair in range(2):
            p = (lanes[:, :, pair] * pairs).sum()
            q = (even[:, :, pair] * pairs).sum()
            numbers = [4 * number + 2 * pair, 4 * number + 2 * pair + 1]
            if form == "plain":
                odd = (lanes[:, :, pair] >> 8) * pairs
                sums = [int(first[pair, 0] + q), int(first[pair, 1] + odd.sum())]
            elif form == "carry":
                p, q = wrap32(first[pair, 0] + p), wrap32(first[pair, 1] + q)
                sums = [int(q), int(wrap32(p - q) >> 8)]
            else:
                odd = wrap32(first[pair, 0] + p - q)
                sums = [int(wrap32(block[starts + 4 * groups + 4 + pair] + (q << 8))), int(odd)]
            for channel, total in zip(numbers, sums, strict=True):
                if channel >= channels:
                    continue
                if form == "line":
                    m = int(block[starts + 4 * groups + channel % 4])
                    outputs.append(int(np.clip((total * m) >> 41, *WHOLE)))
                else:
                    outputs.append(int(apply(np.full(channels, total), layer.requant, WHOLE)[channel]))
    return np.array(outputs)


def of_the_layer(weights: Ints, bias: Ints, x: Ints, zero_point: int, shift: int = -9) -> Ints:
    return specified(np.asarray(weights, np.int64) @ x + bias, MULTIPLIER, shift, zero_point, WHOLE)


@pytest.mark.parametrize("form", ["plain", "carry", "line"])
def test_packed_weights_compute_the_layer(form: Form) -> None:
    computed_by_it = 0

    @settings(max_examples=scaled(40, 400))
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        nonlocal computed_by_it
        computed_by_it += packed_weights_compute(seed, form)

    check()
    assert computed_by_it >= 10


def packed_weights_compute(seed: int, form: Form) -> bool:
    """Whether a random layer can have this form; then its packed weights compute it."""
    rng = np.random.default_rng(seed)
    rows, run, channels = (int(rng.integers(1, high)) for high in (4, 14, 10))
    weights = rng.integers(-127, 128, (channels, rows * run))
    bias = rng.integers(-5000, 5000, channels)
    made = layer(weights, bias)
    assert made is not None
    if not made.allows(form):
        return False
    order = column_order(rows, run)
    x = rng.choice([-128, -1, 0, 127], rows * run) if seed % 2 else rng.integers(-128, 128, rows * run)
    column = np.where(order >= 0, x[np.maximum(order, 0)], rng.integers(-128, 128, len(order)))
    np.testing.assert_array_equal(
        computed(pack(made, order, form), made, column, form), of_the_layer(weights, bias, x, -128)
    )
    if form == "line":
        acc = weights @ x + bias
        np.testing.assert_array_equal(apply_line(acc, made.line), of_the_layer(weights, bias, x, -128))
    return True


@given(st.integers(1, 5), st.integers(1, 40))
def test_a_column_holds_every_tap_once(rows: int, run: int) -> None:
    order = column_order(rows, run)
    assert len(order) % 4 == 0 and len(order) - rows * run < 4
    assert sorted(order[order >= 0]) == list(range(rows * run))


@pytest.mark.parametrize(
    ("even", "odd", "fits"),
    [(-128, -127, True), (0, -128, True), (5, -128, True), (-1, -128, False), (-128, -128, False), (127, 127, True)],
)
def test_lanes_must_fit(even: int, odd: int, fits: bool) -> None:
    weights, bias = np.array([[even, 100], [odd, 100]]), np.zeros(2, np.int64)
    made = layer(weights, bias, zero_point=0)
    assert made is not None and made.allows("carry") == fits and made.allows("plain")
    order = column_order(1, 2)
    forms: tuple[Form, ...] = ("carry", "plain") if fits else ("plain",)
    for x in ([-128, 127], [127, -128], [-128, -128], [127, 127]):
        column = np.where(order >= 0, np.array(x)[np.maximum(order, 0)], 99)
        for form in forms:
            np.testing.assert_array_equal(
                computed(pack(made, order, form), made, column, form), of_the_layer(weights, bias, np.array(x), 0)
            )


HIGHEST, LOWEST = 8 * 127 * 127, 8 * 127 * 128


@pytest.mark.parametrize(
    ("bias", "fits"),
    [
        (2**23 - 1 - HIGHEST, True),
        (2**23 - HIGHEST, False),
        (LOWEST - 2**23, True),
        (LOWEST - 2**23 - 1, False),
    ],
)
def test_odd_sums_must_fit_24_bits(bias: int, fits: bool) -> None:
    weights = np.full((2, 8), 127)
    biases = np.array([0, bias])
    made = layer(weights, biases, zero_point=0, shift=-16)
    assert made is not None and made.allows("carry") == fits
    # the even channel may be larger
    swapped = layer(weights, biases[::-1], zero_point=0, shift=-16)
    assert swapped is not None and swapped.allows("carry")
    order = column_order(1, 8)
    for value in (-128, 127):
        column = np.full(8, value)
        for each, start in ((made, biases), (swapped, biases[::-1])):
            form: Form = "carry" if each.allows("carry") else "plain"
            np.testing.assert_array_equal(
                computed(pack(each, order, form), each, column, form), of_the_layer(weights, start, column, 0, -16)
            )


def test_a_dead_channel_with_a_huge_bias_becomes_a_constant() -> None:
    weights = np.array([[3, -5], [0, 0], [127, 127]])
    bias = np.array([10, 2**30 + 17, -(2**30)])
    made = layer(weights, bias)
    assert made is not None and made.allows("carry") and made.allows("line")
    assert (made.weights[1:] == 0).all()
    order = column_order(1, 2)
    x = np.array([100, -100])
    column = np.where(order >= 0, x[np.maximum(order, 0)], 0)
    for form in ("plain", "carry", "line"):
        np.testing.assert_array_equal(
            computed(pack(made, order, form), made, column, form), of_the_layer(weights, bias, x, -128)
        )
