"""Passes rewrite what they should, leave what they must, and never change a bit of any output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.compiler.compile import compile_graph
from harness.ir.graph import ABSENT, Graph, NoAttrs
from harness.ir.interpreter import run
from harness.ir.verifier import verify
from harness.ir.window import ConvAttrs, Pads
from harness.passes import optimize
from harness.quantization.types import Quantization
from tests.support.graphs import Builder
from tests.support.layers import conv_layer


def ops(graph: Graph) -> list[str]:
    """Operators in order."""
    return [node.op for node in graph.nodes]


def check_same(before: Graph) -> Graph:
    """The optimized graph, which must verify and give the same outputs."""
    after = optimize(before)
    verify(after)
    rng = np.random.default_rng(1)
    for _ in range(3):
        inputs = [rng.integers(-128, 128, before.tensors[t].shape).astype(np.int8) for t in before.inputs]
        for a, b in zip(run(before, inputs).outputs, run(after, inputs).outputs, strict=True):
            np.testing.assert_array_equal(a, b)
    return after


def test_pad_joins_the_convolution() -> None:
    b = Builder()
    y = b.conv(b.pad(b.input(1, 6, 5, 3, zero=7), 2, 1, 0, 1), 4)
    after = check_same(b.graph(y))
    assert ops(after) == ["CONV_2D"]
    assert isinstance(after.nodes[0].attrs, ConvAttrs) and after.nodes[0].attrs.pads == Pads(2, 1, 0, 1)
    assert after.nodes[0].sources == (0, 1)


def test_pad_of_another_value_stays() -> None:
    b = Builder()
    y = b.conv(b.pad(b.input(1, 6, 5, 3, zero=7), 1, 1, 1, 1, value=8), 4)
    assert ops(check_same(b.graph(y))) == ["PAD", "CONV_2D"]


def test_pad_with_two_readers_stays() -> None:
    b = Builder()
    padded = b.pad(b.input(1, 6, 5, 3), 1, 1, 1, 1)
    y = b.conv(padded, 4)
    assert ops(check_same(b.graph(y, b.conv(padded, 2, seed=2)))) == ["PAD", "CONV_2D", "CONV_2D"]


def test_relu_and_relu6_join_their_producers() -> None:
    for op in ("RELU", "RELU6"):
        b = Builder()
        conv = b.conv(b.input(1, 6, 5, 3), 4)
        after = check_same(b.graph(b.node(op, (conv,), b.like(conv))))
        assert ops(after) == ["CONV_2D"] and after.nodes[0].sources == (0, 1)


def test_relu_that_rescales_stays() -> None:
    b = Builder()
    conv = b.conv(b.input(1, 6, 5, 3), 4)
    y = b.tensor(*b.tensors[conv].shape, scale=0.15, zero=-20)
    assert ops(check_same(b.graph(b.node("RELU", (conv,), y)))) == ["CONV_2D", "RELU"]


def test_functions_of_one_byte_become_one_table() -> None:
    b = Builder()
    x = b.input(1, 4)
    y = b.tensor(1, 4, scale=0.07, zero=-9)
    probability = b.tensor(1, 4, scale=1 / 256, zero=-128)
    last = b.tensor(1, 4, scale=1 / 128, zero=5)
    b.node("RELU", (x,), y)
    b.node("LOGISTIC", (y,), probability)
    after = check_same(b.graph(b.node("QUANTIZE", (probability,), last)))
    assert ops(after) == ["TABLE"] and after.nodes[0].sources == (0, 1, 2)


def test_a_constant_of_one_value_becomes_a_table_and_one_of_several_does_not() -> None:
    for data, kind in (([[5, 5, 5, 5]], "TABLE"), ([[5, 5, 5, 6]], "ADD")):
        b = Builder()
        x = b.input(1, 4)
        constant = b.tensor(1, 4, scale=0.3, data=np.array(data, np.int8))
        assert ops(check_same(b.graph(b.add(x, constant)))) == [kind]


def test_another_zero_point_joins_the_layer() -> None:
    b = Builder()
    conv = b.conv(b.input(1, 6, 5, 3), 4)
    moved = b.tensor(*b.tensors[conv].shape, scale=0.2, zero=100)
    after = check_same(b.graph(b.node("QUANTIZE", (conv,), moved)))
    assert ops(after) == ["CONV_2D"] and after.tensors[after.outputs[0]].q.zero_point == 100
    assert after.nodes[0].attrs.clamp == (-31, 127)


def test_another_scale_stays() -> None:
    b = Builder()
    conv = b.conv(b.input(1, 6, 5, 3), 4)
    finer = b.tensor(*b.tensors[conv].shape, scale=0.19, zero=3)
    assert ops(check_same(b.graph(b.node("QUANTIZE", (conv,), finer)))) == ["CONV_2D", "QUANTIZE"]


def test_constants_are_computed_and_dead_ones_dropped() -> None:
    b = Builder()
    x = b.input(1, 4)
    one = b.tensor(1, 4, data=np.array([[1, -5, 9, 100]], np.int8))
    two = b.tensor(1, 4, scale=0.3, data=np.array([[-7, 5, 3, 2]], np.int8))
    y = b.add(x, b.add(one, two))
    b.add(x, x)  # nobody reads it
    after = check_same(b.graph(y))
    assert ops(after) == ["ADD"]
    assert dict(after.removed) == {0: "constant, computed at compile time", 2: "its result is not used"}


def test_identities_disappear() -> None:
    b = Builder()
    conv = b.conv(b.input(1, 6, 5, 3), 4)
    y = b.conv(b.node("QUANTIZE", (b.pad(conv, 0, 0, 0, 0),), b.like(conv)), 2)
    assert ops(check_same(b.graph(y))) == ["CONV_2D", "CONV_2D"]


def test_constant_and_passed_through_outputs_keep_their_values() -> None:
    b = Builder()
    x = b.input(1, 4)
    fixed = b.tensor(1, 4, data=np.array([[1, -5, 9, 100]], np.int8))
    same = b.node("RESHAPE", (x,), b.like(x), NoAttrs())
    after = check_same(b.graph(fixed, same, x))
    assert all(after.tensors[t].data is None for t in after.outputs)


def test_depthwise_of_one_channel_becomes_a_convolution() -> None:
    for channels, op in ((8, "CONV_2D"), (2, "DEPTHWISE_CONV_2D")):
        b = Builder()
        x = b.input(1, 9, 7, 1, zero=-3)
        data = np.random.default_rng(1).integers(-127, 128, (1, 4, 3, channels)).astype(np.int8)
        weights = b.tensor(1, 4, 3, channels, scale=0.01, data=data)
        scales = tuple(0.01 + 0.001 * c for c in range(channels))
        b.tensors[weights] = replace(b.tensors[weights], quant=Quantization(scales, (0,) * channels, 3))
        y = b.tensor(1, 5, 4, channels, scale=0.2, zero=3)
        attrs = ConvAttrs((2, 2), (1, 1), Pads(1, 2, 1, 1), (-128, 127))
        after = check_same(b.graph(b.node("DEPTHWISE_CONV_2D", (x, weights, ABSENT), y, attrs)))
        assert ops(after) == [op]
        plan = compile_graph(b.graph(y))
        assert (plan.layers[0].op, plan.layers[0].fused) == (op, ())


def test_as_many_groups_as_channels_are_depthwise() -> None:
    graph = conv_layer(np.random.default_rng(4), (1, 5, 6, 3), 6, (3, 3), groups=3)
    assert ops(check_same(graph)) == ["DEPTHWISE_CONV_2D"]
