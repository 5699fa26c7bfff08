"""The record of a layer with weights against the specification, and what is proved of its sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.window import Pads
from harness.kernels.context import Context
from harness.kernels.quantized_layer import QuantizedLayer, quantized_layer
from harness.quantization.fixedpoint import Ints
from tests.support.generated import random_graph
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.requantized import specified
from tests.support.scale import scaled

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def layer_of_one_window(op: str, rng: np.random.Generator) -> Graph:
    """A layer with one output pixel, whose window is the whole image."""
    height, width, depth, channels = (int(n) for n in rng.integers(1, 6, 4))
    if op == "FULLY_CONNECTED":
        return fully_connected_layer(rng, 1, depth, channels)
    depthwise = op == "DEPTHWISE_CONV_2D"
    outputs = depth * channels if depthwise else channels
    return conv_layer(rng, (1, height, width, depth), outputs, (height, width), pads=Pads(), depthwise=depthwise)


def record(graph: Graph) -> QuantizedLayer:
    return quantized_layer(Context(graph, graph.nodes[-1], Target("cortex-m4")))


def sums(layer: QuantizedLayer, op: str, x: Ints) -> Ints:
    """What the record says of an input [rows, columns, channels] that one window covers."""
    depth, taps = x.shape[-1], layer.weights.shape[1]
    if op == "DEPTHWISE_CONV_2D":
        own = np.arange(len(layer.weights)) // (len(layer.weights) // depth)
        return (layer.weights * x.reshape(taps, depth).T[own]).sum(axis=1) + layer.folded_bias
    return layer.weights @ x.reshape(taps) + layer.folded_bias


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_sums_requantized_are_the_specification(seed: int, op: str) -> None:
    rng = np.random.default_rng(seed)
    graph = layer_of_one_window(op, rng)
    layer = record(graph)
    x = rng.integers(*layer.in_range, graph.tensors[graph.inputs[0]].shape, endpoint=True)
    (wanted,) = run(graph, [x.astype(np.int8)]).outputs
    acc = sums(layer, op, x[0] if x.ndim == 4 else x)
    requantized = specified(acc, layer.multipliers, layer.shifts, layer.zero_point, layer.clamp)
    np.testing.assert_array_equal(requantized, wanted.reshape(-1))


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_the_extremes_are_reached_and_not_passed(seed: int, op: str) -> None:
    rng = np.random.default_rng(seed)
    layer = record(layer_of_one_window(op, rng))
    low, high = layer.accumulators
    lowest, highest = layer.in_range
    for c, weights in enumerate(layer.weights):
        up = np.where(weights > 0, highest, lowest)
        down = np.where(weights > 0, lowest, highest)
        assert (weights @ down + layer.folded_bias[c], weights @ up + layer.folded_bias[c]) == (low[c], high[c])
        any_input = rng.integers(lowest, highest, len(weights), endpoint=True)
        assert low[c] <= weights @ any_input + layer.folded_bias[c] <= high[c]


@pytest.mark.parametrize("op", KINDS)
def test_it_is_made_once_a_node(op: str) -> None:
    graph = random_graph(np.random.default_rng(3), op)
    node = next(node for node in graph.nodes if node.op == op)
    made = quantized_layer(Context(graph, node, Target("cortex-m4")))
    assert made is quantized_layer(Context(graph, node, Target("cortex-m55")))
    assert len(made.weights) == len(made.bias) == len(made.multipliers) == len(made.shifts)


@pytest.mark.parametrize("op", KINDS)
def test_forms_of_some_channels_are_those_of_all(op: str) -> None:
    compared = 0
    for seed in range(scaled(40, 400)):
        layer = record(layer_of_one_window(op, np.random.default_rng([17, seed])))
        whole = layer.rounded()
        odd = np.arange(1, len(layer.weights), 2)
        if whole is None or not len(odd):
            continue
        part = layer.rounded(odd)
        assert part is not None and part.ties == whole.ties
        for name in ("multiplier", "addend", "shift", "constant"):
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[odd])
        compared += 1
    assert compared >= 10


def test_only_the_whole_range_is_saturation() -> None:
    one = np.ones(1, np.int32)
    constants = (np.ones((1, 1), np.int64), np.zeros(1, np.int64), one, one, 0, 0)
    assert QuantizedLayer(*constants, clamp=(-128, 127)).saturates
    assert not QuantizedLayer(*constants, clamp=(-128, 126)).saturates
    assert not QuantizedLayer(*constants, clamp=(-127, 127)).saturates
