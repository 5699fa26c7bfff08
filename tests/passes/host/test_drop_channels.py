"""Channels that are constant or unused go, with their weights; what is left computes the same, layer by layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from harness.compiler.compile import compile_graph
from harness.frontends import load
from harness.ir.graph import Graph, NoAttrs
from harness.ir.interpreter import run
from harness.ir.verifier import verify
from harness.ir.window import ConvAttrs, Pads
from harness.kernels.macs import macs
from harness.passes import optimize
from harness.passes.drop_channels import drop_channels
from tests.support.generated import graphs, random_inputs
from tests.support.graphs import FULL, Builder
from tests.support.models import real_model
from tests.support.scale import scaled

SAME = Pads(1, 1, 1, 1)


def check_same(before: Graph, after: Graph) -> None:
    """Outputs, and every tensor of the file that is left, in the channels that are left, over a sequence of vectors."""
    verify(after)
    theirs = ours = None
    compared = 0
    for vector in random_inputs(before, np.random.default_rng(3), 3):
        a, b = run(before, vector, theirs), run(after, vector, ours)
        theirs, ours = a.states, b.states
        for want, have in zip(a.outputs, b.outputs, strict=True):
            np.testing.assert_array_equal(want, have)
        for t, have in b.tensors.items():
            source = after.tensors[t].source
            if source is not None and source in a.tensors:
                np.testing.assert_array_equal(after.tensors[t].left_of(a.tensors[source]).reshape(have.shape), have)
                compared += 1
    assert compared


def test_random_networks_compute_the_same() -> None:
    narrowed = 0

    @settings(max_examples=scaled(100, 5000), deadline=None)
    @given(graphs("SPARSE"))
    def check(graph: Graph) -> None:
        nonlocal narrowed
        after = optimize(graph)
        check_same(graph, after)
        narrowed += any(tensor.kept is not None for tensor in after.tensors)

    check()
    assert narrowed >= 20, "channels go"


def all_macs(graph: Graph) -> int:
    """Of all nodes."""
    return sum(macs(graph, node) for node in graph.nodes)


def dead(b: Builder, tensor: int, channels: slice, biases: int) -> None:
    """Zeroes the weights of some output channels of the convolution that writes `tensor`, and gives it a bias."""
    node = next(n for n in b.nodes if tensor in n.outputs)
    w = b.tensors[node.inputs[1]]
    data = w.data.copy()
    data[channels] = 0
    b.tensors[node.inputs[1]] = replace(w, data=data)
    values = np.random.default_rng(9).integers(-99, 99, len(data)).astype(np.int32)
    values[channels] = biases
    quant = replace(w.q, scales=(b.tensors[node.inputs[0]].q.scale * w.q.scale,))
    bias = b.tensor(len(data), data=values)
    b.tensors[bias] = replace(b.tensors[bias], dtype=type(b.tensors[tensor].dtype).INT32, quant=quant)
    b.nodes[b.nodes.index(node)] = replace(node, inputs=(*node.inputs[:2], bias))


@pytest.mark.parametrize("bias", [0, 12345, 2**31 - 2**25, -(2**31) + 2**25])
def test_a_dead_channel_goes_where_no_padding_meets_it(bias: int) -> None:
    b = Builder()
    mid = b.conv(b.input(1, 6, 5, 3), 8, pads=SAME)
    dead(b, mid, slice(0, 4), bias)
    graph = b.graph(b.conv(mid, 5, size=1))
    after = optimize(graph)
    assert after.tensors[after.nodes[0].outputs[0]].kept == (4, 5, 6, 7)
    assert all_macs(after) == all_macs(graph) // 2
    check_same(graph, after)


def test_padding_stops_a_constant_that_is_not_the_zero_point() -> None:
    for bias, left in ((0, 4), (12345, 8)):
        b = Builder()
        mid = b.conv(b.input(1, 6, 5, 3), 8, pads=SAME)
        dead(b, mid, slice(0, 4), bias)
        graph = b.graph(b.conv(mid, 5, pads=SAME))
        after = optimize(graph)
        assert after.tensors[after.nodes[0].outputs[0]].shape[-1] == left
        check_same(graph, after)


def test_constants_go_through_a_residual_block_where_both_sides_have_them() -> None:
    b = Builder()
    one = b.conv(b.input(1, 6, 5, 3), 8, pads=SAME)
    two = b.conv(one, 8, pads=SAME, seed=1)
    dead(b, one, slice(2, 6), 0)
    dead(b, two, slice(2, 8), 777)
    graph = b.graph(b.conv(b.add(one, two), 5, size=1))
    after = optimize(graph)
    assert [after.tensors[n.outputs[0]].kept for n in after.nodes] == [(0, 1, 6, 7)] * 3 + [None]
    check_same(graph, after)


def test_inputs_and_outputs_keep_their_channels() -> None:
    b = Builder()
    x = b.input(1, 6, 5, 8)
    mid = b.conv(x, 8)
    dead(b, mid, slice(0, 8), 5)
    graph = b.graph(mid, b.conv(x, 8, seed=2))
    after = optimize(graph)
    assert after.tensors[after.inputs[0]].shape == (1, 6, 5, 8)
    assert [after.tensors[t].shape for t in after.outputs] == [(1, 4, 3, 8), (1, 4, 3, 8)]
    assert [n.op for n in after.nodes] == ["CONV_2D", "RESHAPE"]
    check_same(graph, after)


def test_a_channel_that_nobody_reads_goes_though_it_is_not_constant() -> None:
    b = Builder()
    mid = b.conv(b.input(1, 6, 5, 3), 8)
    y = b.conv(mid, 4)
    w = b.tensors[b.nodes[1].inputs[1]]
    data = w.data.copy()
    data[..., 1:5] = 0
    b.tensors[b.nodes[1].inputs[1]] = replace(w, data=data)
    graph = b.graph(y)
    after = drop_channels(graph)
    assert after.tensors[after.nodes[0].outputs[0]].kept == (0, 5, 6, 7)
    check_same(graph, after)


def test_columns_of_a_flattened_image_go_with_its_channels() -> None:
    b = Builder()
    mid = b.conv(b.input(1, 6, 5, 3), 8, size=4)
    dead(b, mid, slice(0, 4), 4321)
    flat = b.node("RESHAPE", (mid,), b.tensor(1, 48, scale=0.2, zero=3), NoAttrs())
    w = b.tensor(4, 48, scale=0.01, data=np.random.default_rng(5).integers(-9, 9, (4, 48)).astype(np.int8))
    from harness.ir.operators.fully_connected import FullyConnectedAttrs

    y = b.node("FULLY_CONNECTED", (flat, w), b.tensor(1, 4, scale=0.5), FullyConnectedAttrs(FULL))
    graph = b.graph(y)
    after = optimize(graph)
    assert after.tensors[after.nodes[-1].inputs[1]].shape == (4, 24)
    check_same(graph, after)


def test_vww_halves() -> None:
    graph = load(real_model("mlperftiny_vww_int8"))
    plan = compile_graph(graph)
    assert sum(layer.macs for layer in plan.layers) <= 3_800_000 < all_macs(graph) // 1.95
    weights = sum(t.bytes for t in plan.graph.tensors if t.data is not None)
    assert weights < sum(t.bytes for t in graph.tensors if t.data is not None) / 6
    assert all(t.shape[-1] % 4 == 0 for t in plan.graph.tensors if t.kept is not None)


def test_a_mistake_in_the_pass_would_show_in_the_layers() -> None:
    """Constant channels of a tensor are not the same as the tensor: what is left is compared where it was."""
    b = Builder()
    mid = b.conv(b.input(1, 6, 5, 3), 8)
    dead(b, mid, slice(0, 4), 0)
    graph = b.graph(b.conv(mid, 5))
    after = optimize(graph)
    t = after.nodes[0].outputs[0]
    wrong = replace(after.tensors[t], kept=(0, 1, 2, 3))
    wrong_graph = replace(after, tensors=(*after.tensors[:t], wrong, *after.tensors[t + 1 :]))
    with pytest.raises(AssertionError):
        check_same(graph, wrong_graph)


def test_padding_taps_that_weigh_nothing_do_not_matter() -> None:
    b = Builder()
    mid = b.conv(b.input(1, 6, 5, 3), 8)
    dead(b, mid, slice(0, 4), 12345)
    y = b.conv(mid, 4, pads=Pads(1, 0, 0, 0), seed=4)
    w = b.tensors[b.nodes[1].inputs[1]]
    data = w.data.copy()
    data[:, 0] = 0
    b.tensors[b.nodes[1].inputs[1]] = replace(w, data=data)
    assert isinstance(b.nodes[1].attrs, ConvAttrs)
    graph = b.graph(y)
    after = optimize(graph)
    assert after.tensors[after.nodes[0].outputs[0]].kept == (4, 5, 6, 7)
    check_same(graph, after)
