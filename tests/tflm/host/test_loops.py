"""Counts of loops: as counted one by one, for every layer that can be and for what cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.tflm import records
from harness.tflm.costs import estimate
from harness.tflm.layer import TflmLayer
from harness.tflm.loops import LSTM_FORGETS, ROW_IS_WRONG, known_fault, loops
from harness.tflm.loops.base import copy, fill, window
from harness.tflm.loops.elementwise import steps_that_count
from harness.tflm.loops.products import product
from harness.tflm.scratch import per_channel, states, while_running

INT8 = ("int8", "int8", "int8")


def convolution(size=(1, 8, 8, 4), weights=(8, 3, 3, 4), stride=(1, 1), padding="SAME", **more) -> TflmLayer:
    """A convolution whose output is as TensorFlow has it."""
    axes = zip(size[1:3], weights[1:3], stride, strict=True)
    out = [-(-n // s) if padding == "SAME" else -(-(n - k + 1) // s) for n, k, s in axes]
    output = (size[0], *out, weights[0])
    return TflmLayer("CONV_2D", (size, weights), (output,), INT8, (1,), stride, (1, 1), padding=padding, **more)


@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.booleans()
)  # fmt: skip
def test_a_window_is_counted_as_it_moves(height, width, kernel_height, kernel_width, stride, same):
    if not same and (kernel_height > height or kernel_width > width):
        return
    layer = convolution(
        (1, height, width, 1), (1, kernel_height, kernel_width, 1), (stride, stride), "SAME" if same else "VALID"
    )
    _, rows, columns, _ = layer.output
    top = max(0, (rows - 1) * stride + kernel_height - height) // 2 if same else 0
    left = max(0, (columns - 1) * stride + kernel_width - width) // 2 if same else 0
    inside = np.zeros((rows, columns), int)
    for y, x, i, j in np.ndindex(rows, columns, kernel_height, kernel_width):
        inside[y, x] += 0 <= y * stride + i - top < height and 0 <= x * stride + j - left < width
    found = window(layer, (kernel_height, kernel_width))
    assert (found.pixels, found.valid) == (rows * columns, inside.sum())
    assert (found.padded == (inside.reshape(-1) < kernel_height * kernel_width)).all()


@given(st.integers(0, 500), st.integers(0, 3), st.integers(0, 3))
def test_every_byte_is_copied_and_filled_once(size, target, source):
    moved = copy(size, target, source)
    sizes = {"copy 64": 64, "copy 16": 16, "copy 4": 4, "copy 1": 1, "copy head": 1, "copy byte": 1}
    assert sum(sizes.get(name, 0) * count for name, count in moved.items()) == size
    filled = fill(size, target)
    sizes = {"fill head": 1, "fill 16": 16, "fill 4": 4, "fill 1": 1}
    assert sum(sizes.get(name, 0) * count for name, count in filled.items()) == size


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 100))
def test_a_product_multiplies_every_row_with_every_column(rows, columns, depth):
    words = product(rows, columns, depth, mve=False)
    outputs = {"2x2": 4, "2x1": 2, "1": 1}
    assert sum(count * words[name] for name, count in outputs.items()) == rows * columns
    taken = {"16": 16, "4": 4, "1": 1}
    products = sum(outputs[n] * taken[part] * words[f"{n} {part}"] for n in outputs for part in taken)
    assert products == rows * columns * depth
    vectors = product(rows, columns, depth, mve=True)
    assert 4 * vectors["block column"] + vectors["row column"] == rows * columns


def test_functions_are_chosen_as_cmsis_nn_does():
    assert loops(convolution(weights=(8, 1, 1, 4)), "cortex-m4").kernel == "1x1"
    assert loops(convolution(weights=(8, 1, 1, 4), stride=(2, 2)), "cortex-m4").kernel == "1x1 strided"
    assert loops(convolution(weights=(8, 3, 3, 2)), "cortex-m4").counts["part"] == 2, "a group after the other"
    row = convolution((1, 1, 32, 4), (8, 1, 5, 4), (1, 1))
    assert (loops(row, "cortex-m4").kernel, loops(row, "cortex-m55").kernel) == ("general", "1xn")
    assert loops(replace(row, types=("float32",) * 3), "cortex-m55").kernel == "float32/float32/float32"
    assert loops(replace(row, op="TRANSPOSE_CONV"), "cortex-m55") is None


def test_what_is_known_to_be_wrong_is_said():
    strided = convolution((1, 1, 32, 4), (8, 1, 5, 4), (1, 2))
    assert known_fault(strided, "cortex-m55") == ROW_IS_WRONG
    assert known_fault(strided, "cortex-m4") == "" == known_fault(convolution(), "cortex-m55")
    lstm = next(m.layer for m in records.layers() if m.layer.op == "UNIDIRECTIONAL_SEQUENCE_LSTM")
    assert known_fault(replace(lstm, types=INT8), "cortex-m4") == LSTM_FORGETS
    assert known_fault(replace(lstm, types=("float32",) * 3), "cortex-m4") == ""


@pytest.mark.parametrize(("scale", "steps"), [(0.02, 255), (0.1, 248), (0.2, 124), (0.5, 31), (0.0, 255), (1e30, 255)])
def test_the_steps_of_a_softmax_that_count(scale, steps):
    assert steps_that_count(scale) == steps


DIMENSIONS = st.sampled_from([-1, 0, 1, 2, 3, 4, 8, 16, 33, 1 << 20])
SHAPES = st.lists(DIMENSIONS, max_size=5).map(tuple)
ODD = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.lists(st.none() | SHAPES, max_size=5).map(tuple),
        "outputs": st.lists(SHAPES, max_size=3).map(tuple),
        "stride": SHAPES,
        "dilation": SHAPES,
        "kernel": SHAPES,
        "masks": SHAPES,
        "numbers": st.lists(SHAPES, max_size=3).map(tuple),
        "axis": st.integers(-9, 9),
        "types": st.tuples(*[st.sampled_from(["int8", "int16", "float32", "int32", ""])] * 3),
        "op": st.sampled_from(sorted({m.layer.op for m in records.layers()} | {"GATHER"})),
        "quant": st.tuples(st.none() | st.tuples(st.floats(), st.integers(-128, 127)), st.just((1.0, 0))),
    },
)


@given(st.sampled_from(records.layers()), ODD, st.sampled_from(["cortex-m4", "cortex-m55"]))
@settings(max_examples=400, deadline=None)
def test_no_layer_that_a_file_can_hold_breaks_anything(measured, odd, core):
    layer = replace(measured.layer, **odd)
    found = estimate(layer, core)
    assert (found.value is None) == bool(found.reason)
    assert found.value is None or found.value > 0
    assert all(size > 0 for size in while_running(layer, core))
    known_fault(layer, core), records.look_up(layer, core), states(layer), per_channel(layer, core)
