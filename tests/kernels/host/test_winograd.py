"""Winograd's convolutions: the integer identity, the bounds that make it exact, and what is packed for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from harness.ir.window import Window2D, WindowAxis
from harness.kernels.convolution_winograd import ROOMS, fastest
from harness.kernels.winograd import RAISED, SUM_BITS, exact, pack_weights
from tests.support.scale import scaled

G = np.array([[3, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [1, -2, 4], [0, 0, 3]])
BT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
AT = np.array([[2, -4, -4, 1, 1, 0], [0, -2, 2, 1, -1, 0], [0, -1, -1, 1, 1, 0], [0, -1, 1, 2, -2, 2]])
SCALE = np.array([24, 12, 6, 6])
INVERSE = 0x38E38E39


def wrap(x: np.ndarray) -> np.ndarray:
    return (x + 2**31) % 2**32 - 2**31


def test_every_output_is_its_multiple_of_the_sum() -> None:
    """On a base of weights and one of inputs: the identity is linear in both."""
    for w in np.eye(9, dtype=np.int64).reshape(9, 3, 3):
        for x in np.eye(36, dtype=np.int64).reshape(36, 6, 6):
            products = (G @ w @ G.T) * (BT @ x @ BT.T)
            sums = np.array([[(w * x[i : i + 3, j : j + 3]).sum() for j in range(4)] for i in range(4)])
            assert (AT @ products @ AT.T == np.outer(SCALE, SCALE) * sums).all()


def test_scales_are_nine_times_powers_of_two() -> None:
    assert 9 * INVERSE % 2**32 == 1
    powers = np.outer(SCALE, SCALE) // 9
    assert (9 * powers == np.outer(SCALE, SCALE)).all()
    assert int(powers.max()) << SUM_BITS == 2**31
    assert np.log2(powers).tolist() == [[6, 5, 4, 4], [5, 4, 3, 3], [4, 3, 2, 2], [4, 3, 2, 2]]


def test_lanes_hold_every_transformed_input_and_weight() -> None:
    for rows in BT:
        for columns in BT:
            coefficients = np.outer(rows, columns)
            high, low = 255 * np.maximum(coefficients, 0).sum(), 255 * np.minimum(coefficients, 0).sum()
            # no input looks like the mark, the lower half of which is 0x7f00
            assert low >= -(2**15) and high < 0x7F00
    assert 128 * np.abs(G).sum(axis=1).max() ** 2 < 2**15


@settings(max_examples=scaled(60, 2000), deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([1, 3, 64, 130]),
    st.sampled_from(["any", "lowest", "highest", "signs"]),
    st.integers(0, 2**32 - 1),
)
def test_what_the_kernels_compute_is_the_sum(channels: int, depth: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = {
        "any": rng.integers(-128, 128, (channels, 3, 3, depth)),
        "lowest": np.full((channels, 3, 3, depth), -128),
        "highest": np.full((channels, 3, 3, depth), 127),
        "signs": rng.choice([-128, 127], (channels, 3, 3, depth)),
    }[kind]
    fits = exact(weights.reshape(channels, -1))
    x = np.where(weights[0].sum() > 0, rng.choice([0, 255], (6, 6, depth)), rng.integers(0, 256, (6, 6, depth)))
    for w in weights[fits]:
        u = np.einsum("ia,abc,jb->ijc", G, w, G)
        v = np.einsum("ia,abc,jb->ijc", BT, x, BT)
        assert np.abs(u).max() < 2**15 and np.abs(v).max() < 2**15
        out = wrap(wrap(AT @ wrap((u * v).sum(axis=2)) @ AT.T) * INVERSE)
        shifts = np.log2(np.outer(SCALE, SCALE) // 9).astype(int)
        sums = np.array([[(w * x[i : i + 3, j : j + 3]).sum() for j in range(4)] for i in range(4)])
        assert (out >> shifts == sums).all()


def test_channels_whose_sums_do_not_fit_are_declined() -> None:
    largest = (1 << SUM_BITS) // 255
    for sign, limit in ((1, 127), (-1, 128)):
        weights = np.zeros((3, 9 * 130), np.int64)
        whole, rest = divmod(largest, limit)
        weights[1:, :whole] = sign * limit
        weights[1:, whole] = sign * rest
        weights[2, whole + 1] = sign
        assert exact(weights).tolist() == [True, True, False]
    assert exact(np.full((1, 9 * 114), -RAISED)).all()


@given(npst.arrays(np.int8, npst.array_shapes(min_dims=4, max_dims=4, max_side=6)))
def test_weights_are_packed_in_order_and_filled_up_with_zeros(weights: np.ndarray) -> None:
    channels, rows, columns, depth = weights.shape
    packed = pack_weights(weights.reshape(channels, -1).astype(np.int64), depth).view(np.int8)
    found = packed.reshape(-(-channels // 4) * 4, rows * columns, -(-depth // 4) * 4)
    assert (found[:channels, :, :depth] == weights.reshape(channels, -1, depth)).all()
    assert not found[channels:].any() and not found[:, :, depth:].any()


@settings(max_examples=scaled(40, 400), deadline=None)
@given(st.integers(1, 3), st.integers(1, 50), st.integers(1, 50), st.integers(1, 140), st.integers(1, 140))
def test_more_room_is_never_slower(batches: int, height: int, width: int, depth: int, channels: int) -> None:
    rows, columns = (WindowAxis(size, size, 3, pad_before=1) for size in (height, width))
    window = Window2D(batches, depth, channels, rows, columns)
    found = [(room, fastest(window, room)) for room in ROOMS]
    tilings = [(room, tiling) for room, tiling in found if tiling is not None]
    assert [room for room, _ in tilings] == list(ROOMS[len(ROOMS) - len(tilings) :])
    for room, tiling in tilings:
        assert tiling.scratch <= room
        # strips cover the output, chunks its channels
        assert 8 * tiling.pairs * tiling.across >= width and tiling.chunk <= channels
        assert tiling.chunk == channels or tiling.chunk % 4 == 0
    steps = [tiling.steps() for _, tiling in tilings]
    assert all(more <= 1.05 * less for less, more in zip(steps, steps[1:], strict=False))
