"""A layer in fewer bits: its weights are what kernels store so, all else stays, and TFLM computes the file as we do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compression.activations import spread
from harness.compression.levels import LEVELS, CompressionError, level_of
from harness.compression.network import Compressor, outputs_of
from harness.compression.noise import sqnr
from harness.errors import OptionError
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from harness.quantization.few_bits import stored_bytes
from harness.quantization.shared_values import is_int4, shared_values
from harness.quantization.types import DType
from tests.support.generated import random_graph, random_inputs
from tests.support.kws import kws_graph
from tests.support.weighted import KINDS, weighted

SHARED = ("low", "medium", "high")


def data_of(graph, rng, count=24):
    return spread("drawn", "0", random_inputs(graph, rng, count))


def weights_of(graph):
    return graph.tensors[graph.nodes[0].inputs[1]]


@settings(max_examples=16)
@given(st.integers(0, 10_000), st.sampled_from(KINDS), st.sampled_from(SHARED), st.booleans(), st.booleans())
def test_values_are_shared_and_zeros_stay(seed, kind, level, per_channel, with_data):
    rng = np.random.default_rng(seed)
    graph = weighted(rng, kind, per_channel=per_channel, zeros=float(rng.choice([0.0, 0.2])))
    data = data_of(graph, rng) if with_data else None
    made = Compressor(graph, LEVELS[level], data).model()
    before, after = weights_of(graph), weights_of(made.graph)
    assert (after.shape, after.dtype, after.quant) == (before.shape, before.dtype, before.quant)
    if not made.layers:  # a table for every channel is more than it saves
        assert level != "high" and before.data.tobytes() == after.data.tobytes()
        return
    whole = level == "high" or (level == "medium" and kind in ("fully connected", "pointwise"))
    assert shared_values(after.data, 16, None if whole else 0) is not None
    assert stored_bytes(after.data) == made.layers[0].after <= 0.9 * before.bytes
    if not with_data:  # data move weights to make up for others
        assert (after.data[before.data == 0] == 0).all()
    equals_tflm(made.graph, rng)


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.sampled_from(KINDS), st.booleans(), st.booleans())
def test_int4_is_of_four_bits(seed, kind, per_channel, with_data):
    rng = np.random.default_rng(seed)
    graph = weighted(rng, kind, per_channel=per_channel, zeros=0.1)
    made = Compressor(graph, LEVELS["int4"], data_of(graph, rng) if with_data else None).model()
    before, after = weights_of(graph), weights_of(made.graph)
    assert is_int4(after.data) and after.data.dtype == np.int8 and stored_bytes(after.data) == (after.elements + 1) // 2
    bias, x = (made.graph.tensors[made.graph.nodes[0].inputs[i]] for i in (2, 0))
    np.testing.assert_allclose(bias.q.scales, np.array(after.q.scales) * x.q.scale, rtol=1e-6)
    assert with_data or (after.data[before.data == 0] == 0).all()
    equals_tflm(made.graph, rng)


def test_an_empty_channel_keeps_its_scale():
    """Where a channel's weights are all 0, or -7 to 7, a finer scale would give a bias that no int32 holds."""
    graph = weighted(np.random.default_rng(0), "pointwise")
    weights, bias = (graph.tensors[i] for i in (1, 2))
    few, large = weights.data.copy(), bias.data.copy()
    few[2], few[3], large[2:4] = 0, np.clip(few[3], -7, 7), 1 << 29
    tensors = (graph.tensors[0], replace(weights, data=few), replace(bias, data=large), *graph.tensors[3:])
    graph = load(write(replace(graph, tensors=tensors)))
    made = Compressor(graph, LEVELS["int4"], data_of(graph, np.random.default_rng(1))).model()
    assert weights_of(made.graph).q.scales[2:4] == weights.q.scales[2:4]
    assert (weights_of(made.graph).data[2] == 0).all()


def equals_tflm(graph, rng):
    inputs = random_inputs(graph, rng, 3)
    with open_oracle("tflm", graph) as session:
        for given_ in inputs:
            for have, want in zip(session.invoke(given_).outputs, run(graph, given_).outputs, strict=True):
                np.testing.assert_array_equal(have, want)


def test_data_help():
    """Over vectors that were not looked at, weights found on data err less."""
    graph = kws_graph()
    rng = np.random.default_rng(0)
    data, fresh = data_of(graph, rng), random_inputs(graph, np.random.default_rng(1), 12)
    wanted = outputs_of(graph, fresh)[0]
    for level in ("high", "int4"):
        blind, seen = (outputs_of(Compressor(graph, LEVELS[level], d).model().graph, fresh)[0] for d in (None, data))
        assert sqnr(wanted, seen) > sqnr(wanted, blind)


def test_the_same_input_gives_the_same_bytes():
    graph = weighted(np.random.default_rng(3), "window")
    data = data_of(graph, np.random.default_rng(4))
    files = {
        level: {Compressor(graph, LEVELS[level], data).model().graph.model for _ in range(2)}
        for level in ("low", "int4")
    }
    assert all(len(found) == 1 for found in files.values())


def test_floats_share_256_values():
    rng = np.random.default_rng(0)
    graph = weighted(rng, "window", floats=True)
    made = Compressor(graph, LEVELS["medium"], data_of(graph, rng)).model()
    after = weights_of(made.graph)
    assert after.dtype is DType.FLOAT32 and len(np.unique(after.data)) <= 256
    assert made.layers[0].sqnr > 30 and made.weights_after < 0.55 * made.weights_before
    assert Compressor(graph, LEVELS["int4"], None).model().graph is graph  # four bits are of int8 layers


@pytest.mark.parametrize(("weight", "given_"), [(3e38, 1.0), (1e-42, np.inf), (1.0, np.nan)])
def test_odd_floats(weight, given_):
    rng = np.random.default_rng(0)
    graph = weighted(rng, "pointwise", floats=True)
    data = graph.tensors[1].data.copy()
    data[0] = weight
    tensors = (graph.tensors[0], replace(graph.tensors[1], data=data), *graph.tensors[2:])
    graph = load(write(replace(graph, tensors=tensors)))
    inputs = [[np.full_like(x, given_) for x in row] for row in random_inputs(graph, rng, 3)]
    made = Compressor(graph, LEVELS["medium"], spread("odd", "0", inputs)).model()
    assert len(np.unique(weights_of(made.graph).data)) <= 256
    assert made.layers[0].with_data == bool(np.isfinite(given_))


def test_weights_that_two_layers_share_stay_so():
    rng = np.random.default_rng(0)
    graph = weighted(rng, "fully connected")
    first = graph.nodes[0]
    out = replace(graph.tensors[first.outputs[0]], name="other", source=None)
    second = replace(first, outputs=(len(graph.tensors),))
    twice = replace(
        graph, tensors=(*graph.tensors, out), nodes=(first, second), outputs=(*graph.outputs, len(graph.tensors))
    )
    made = Compressor(twice, LEVELS["high"], None).model()
    shapes = {made.graph.nodes[i].inputs[1] for i in (0, 1)}
    assert len(shapes) == 1 and len(np.unique(weights_of(made.graph).data)) <= 16
    assert Compressor(twice, LEVELS["int4"], None).model().layers == ()


@pytest.mark.parametrize("level", LEVELS)
@given(st.integers(0, 10_000))
@settings(max_examples=6)
def test_any_network_is_taken(level, seed):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    made = Compressor(graph, LEVELS[level], None).model()
    assert made.weights_after <= made.weights_before
    assert [node.op for node in made.graph.nodes] == [node.op for node in graph.nodes]


def test_lossless_names_what_is_of_few_values():
    graph = weighted(np.random.default_rng(0), "pointwise")
    high = Compressor(graph, LEVELS["high"], None).model()
    again = Compressor(high.graph, LEVELS["lossless"], None).model()
    assert again.graph is high.graph and [layer.index for layer in again.layers] == [0]
    assert again.weights_after == high.weights_after < again.weights_before
    assert Compressor(graph, LEVELS["lossless"], None).model().layers == ()


def test_a_budget_takes_what_errs_least_for_its_bytes():
    graph = kws_graph()
    compressor = Compressor(graph, LEVELS["high"], data_of(graph, np.random.default_rng(0), 6))
    order = compressor.in_order()
    sizes = []

    def fits(candidate):
        constants = [t.data for t in candidate.tensors if t.data is not None and t.dtype is DType.INT8]
        sizes.append(sum(map(stored_bytes, constants)))
        return sizes[-1] <= 17_000

    made = compressor.within(fits)
    count = len(made.layers)
    assert 0 < count < len(order) and {layer.index for layer in made.layers} == {c.index for c in order[:count]}
    assert not fits(compressor.model(order[: count - 1]).graph)
    assert len(compressor.within(lambda graph: False).layers) == len(order)
    assert compressor.within(lambda graph: True).graph is graph


def test_what_is_not_compressed_is_refused():
    with pytest.raises(OptionError, match="no level of compression is named .tiny."):
        level_of("tiny")
    graph = replace(weighted(np.random.default_rng(0), "pointwise"), original=b"onnx")
    with pytest.raises(CompressionError, match=r"no \.tflite"):
        Compressor(graph, LEVELS["high"], None).model()
