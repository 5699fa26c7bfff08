"""Kernels in plain C whose weights stay packed equal the specification, under the sanitizers; and what they decline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from harness.quantization.types import DType
from tests.support.builders import BUILDERS
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Draft, Few, Rng, between, pick
from tests.support.layers import conv_layer, fully_connected_layer
from tests.support.scale import scaled

SHARED: tuple[Few, ...] = ("int4", "shared", "shared by channel")


def _convolution(rng: Rng, few: Few, *, depthwise: bool = False) -> Graph:
    image = (pick(rng, 1, 1, 2), between(rng, 1, 7), between(rng, 1, 7), between(rng, 1, 12))
    kernel = pick(rng, (1, 1), (3, 3), (between(rng, 1, 4), between(rng, 1, 4)))
    channels = image[3] * between(rng, 1, 2) if depthwise else between(rng, 1, 14)
    return conv_layer(rng, image, channels, kernel, pick(rng, (1, 1), (2, 2)), depthwise=depthwise, few=few)


def _pointwise(rng: Rng, few: Few) -> Graph:
    image = (pick(rng, 1, 2), between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 40))
    return conv_layer(rng, image, between(rng, 1, 19), few=few)


def _fully_connected(rng: Rng, few: Few) -> Graph:
    sizes = between(rng, 1, 3), between(rng, 1, 90), between(rng, 1, 19)
    return fully_connected_layer(rng, *sizes, few=few)


def _floats(rng: Rng, values: int) -> Graph:
    """float32 FULLY_CONNECTED of so many different weights, zeros of both signs among them."""
    draft = Draft(rng)
    x = draft.input((between(rng, 1, 3), between(rng, 1, 90)), dtype=DType.FLOAT32)
    BUILDERS["FULLY_CONNECTED"](draft, x)
    w = draft.nodes[0].inputs[1]
    table = np.concatenate([rng.normal(0, 0.3, max(values - 2, 1)), [0.0, -0.0]])[:values].astype(np.float32)
    data = table[rng.integers(0, values, draft.shape(w))]
    draft.tensors[w] = replace(draft.tensors[w], data=data)
    return draft.finish("floats", draft.nodes[-1].outputs)


def check(draw: Callable[[Rng, int], Graph], kernel: str, function: str, count: int) -> None:
    """`count` graphs that `kernel` computes, and those that it declined until then, are exact."""
    rng = np.random.default_rng(5)
    graphs: list[Graph] = []
    taken = 0
    for number in range(20 * count):
        graphs.append(draw(rng, number))
        taken += compile_graph(graphs[-1], core="host", prefer={kernel}).layers[0].kernel == function
        if taken == count:
            break
    assert taken == count
    assert check_on_board(graphs[:150], "host", sanitize=True, prefer={kernel}) == len(graphs[:150]) * VECTORS


@pytest.mark.parametrize(
    ("kernel", "function", "draw"),
    [
        ("FullyConnectedS8Lut16Portable", "fully_connected_s8_lut16_portable", _fully_connected),
        ("FullyConnectedS8Lut16Portable", "fully_connected_s8_lut16_portable", _pointwise),
        ("ConvS8Lut16Portable", "conv_s8_lut16_portable", _convolution),
        ("ConvS8Lut16Pairs", "conv_s8_lut16_pairs", _convolution),
    ],
)
def test_integers(kernel: str, function: str, draw: Callable[[Rng, Few], Graph]) -> None:
    check(lambda rng, number: draw(rng, SHARED[number % len(SHARED)]), kernel, function, scaled(10, 300))


def test_depthwise() -> None:
    kernel, function = "DepthwiseConvS8Lut16Portable", "depthwise_conv_s8_lut16_portable"
    check(lambda rng, _: _convolution(rng, "shared", depthwise=True), kernel, function, scaled(8, 300))


def test_floats() -> None:
    kernel, function = "FullyConnectedF32Lut256Portable", "fully_connected_f32_lut256_portable"
    check(lambda rng, _: _floats(rng, pick(rng, 1, 2, 16, 256)), kernel, function, scaled(10, 300))


@pytest.mark.parametrize("values", [16, 17])
def test_more_values_are_declined(values: int) -> None:
    graph = fully_connected_layer(np.random.default_rng(1), 1, 90, 19)
    w = graph.nodes[0].inputs[1]
    tensors = list(graph.tensors)
    data = (np.arange(19 * 90) % values).astype(np.int8).reshape(19, 90)
    tensors[w] = replace(tensors[w], data=data)
    plan = compile_graph(replace(graph, tensors=tuple(tensors)), core="host", prefer={"FullyConnectedS8Lut16Portable"})
    assert (plan.layers[0].kernel == "fully_connected_s8_lut16_portable") == (values == 16)
