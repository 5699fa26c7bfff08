"""Channels that are too large for a line become smaller, and the network stays the same function."""

from __future__ import annotations

import numpy as np
import pytest

from harness.fit.lines import with_lines
from harness.hardware.target import Target
from harness.ir.interpreter import run
from harness.ir.window import ConvAttrs
from harness.kernels.context import Context
from harness.kernels.quantized_layer import quantized_layer
from harness.search.architecture import Architecture, BlockShape, StageShape
from harness.training.data import digits
from harness.training.headroom import with_headroom
from harness.training.lined import lined

NET = Architecture((8, 8, 1), 8, 1, (StageShape(16, 1, (BlockShape(3, 2), BlockShape(3, 2))),), 10)


@pytest.fixture(scope="module")
def data():
    return digits().few(200, 50, 50)


def stirred(large: float, data):
    """The float graph of a network of drawn weights; of its first depthwise layer two channels have large weights, and
    biases that leave only the largest hundredth of their sums."""
    from harness.search.trainings import made
    from harness.training.export import float_graph
    from harness.training.loop import to_torch
    from harness.training.torch_extra import nn

    module = made(NET, 3).eval()
    norms = [one for one in module.modules() if isinstance(one, nn.BatchNorm2d)]
    seen = []
    norms[2].register_forward_hook(lambda _, __, values: seen.append(values))
    module(to_torch(data.train_x))
    highest = seen[0].amax((0, 2, 3))[:2].detach()
    if large > 1:
        norms[2].weight.data[:2] *= large
        norms[2].bias.data[:2] -= 0.99 * large * highest
    return float_graph(module, NET.size)


def without_lines(graph) -> int:
    """Channels behind a ReLU that have no line."""
    left = 0
    for node in graph.nodes:
        if isinstance(node.attrs, ConvAttrs) and node.attrs.clamp[0] == graph.tensors[node.outputs[0]].q.zero_point:
            left += int((~quantized_layer(Context(graph, node, Target("host"))).linear.exact).sum())
    return left


def test_large_channels_become_smaller_and_nothing_else_changes(data):
    from harness.training.export import int8_of

    graph = stirred(400.0, data)
    made = int8_of(graph, data).graph
    assert without_lines(with_lines(made))
    changed = with_headroom(graph, made)
    assert changed is not graph
    for picture in data.test_x[:5]:
        ours, theirs = (run(one, [picture[None]]).outputs[0] for one in (changed, graph))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert without_lines(lined(graph, data).graph) == 0


def test_a_network_without_large_channels_stays_as_it_is(data):
    from harness.training.export import int8_of

    graph = stirred(1.0, data)
    assert with_headroom(graph, int8_of(graph, data).graph) is graph
