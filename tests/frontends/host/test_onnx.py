"""ONNX files of float32: whole networks against ONNX Runtime and TFLM."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper

from harness.frontends.onnx.reader import read
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from tests.support.command import called
from tests.support.onnx_networks import both, model_of, network, values_of
from tests.support.scale import scaled


def test_random_networks_equal_onnx_runtime():
    """Fused activations and batch norms, flattened images, transposed and joined branches, read once and twice."""
    for seed in range(scaled(60, 1500)):
        graph = read(network(seed), f"network {seed}", "network")
        for ours, theirs in zip(*both(graph, values_of(graph, seed)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}")


def test_a_network_is_what_tflm_computes():
    for seed in range(scaled(12, 200)):
        graph = read(network(seed), "network", "network")
        inputs = values_of(graph, seed)
        with open_oracle("tflm", graph) as tflm:
            for ours, theirs in zip(run(graph, inputs).outputs, tflm.invoke(inputs).outputs, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=f"seed {seed}")


def test_activations_and_batch_norms_join_the_layer_before_them():
    rng = np.random.default_rng(0)
    constants = [("w", rng.standard_normal((8, 3, 3, 3))), *((n, rng.random(8) + 0.5) for n in "abcd")]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], auto_pad="SAME_UPPER"),
        helper.make_node("BatchNormalization", ["c", "a", "b", "c_", "d"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["y"]),
    ]
    constants = [("c_" if name == "c" else name, data.astype(np.float32)) for name, data in constants]
    data = model_of(nodes, [("x", 1, ("N", 3, 8, 8))], [("y", 1, None)], constants)
    graph = read(data, "m", "m")
    moved = ("RESHAPE", "TRANSPOSE")
    assert [op for op in graph.source_ops if op not in moved] == ["CONV_2D", "MEAN"]
    assert graph.source_ops.count("TRANSPOSE") == 1, "of the input alone"
    assert graph.notes == ("input 'x': dimension 0 (N) is taken as 1",)
    last = read(data, "m", "m", images_last=True)
    assert "TRANSPOSE" not in last.source_ops and last.tensors[last.inputs[0]].shape == (1, 8, 8, 3)
    (x,) = values_of(graph)
    ours, theirs = both(graph, [x])
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(run(last, [np.ascontiguousarray(x.transpose(0, 2, 3, 1))]).outputs[0], ours[0])


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
def test_recurrent_layers_equal_onnx_runtime(op):
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    for seed in range(scaled(6, 60)):
        rng = np.random.default_rng(seed)
        direction = ("forward", "reverse", "bidirectional")[seed % 3]
        count = 2 if seed % 3 == 2 else 1
        steps, batch, depth, units = (int(n) for n in rng.integers(1, 5, 4))
        sizes = (("w", (gates * units, depth)), ("r", (gates * units, units)), ("b", (2 * gates * units,)))
        weights = [(name, (rng.standard_normal((count, *s)) * 0.6).astype(np.float32)) for name, s in sizes]
        outputs = ["y", "h1", "c1"] if op == "LSTM" else ["y", "h1"]
        extra = {"linear_before_reset": seed % 2} if op == "GRU" else {}
        reads = ["x", "w", "r", "b" if seed % 2 else "", "", "h0"]
        node = helper.make_node(op, reads, outputs, hidden_size=units, direction=direction, **extra)
        inputs = [("x", 1, (steps, batch, depth)), ("h0", 1, (count, batch, units))]
        graph = read(model_of([node], inputs, [(name, 1, None) for name in outputs], weights), "m", "m")
        for ours, theirs in zip(*both(graph, values_of(graph, seed)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}")


def _attention() -> bytes:
    """One block of a transformer as exporters write it: two heads, LayerNormalization, GELU by Erf, a mask."""
    rng = np.random.default_rng(4)
    steps, width, heads = 6, 8, 2
    constants = [(n, (rng.standard_normal(s) * 0.4).astype(np.float32)) for n, s in (
        ("g", (width,)), ("b", (width,)), ("wq", (width, width)), ("wk", (width, width)), ("wv", (width, width)),
        ("wo", (width, width)), ("w1", (width, 16)), ("b1", (16,)), ("w2", (16, width)),
    )]  # fmt: skip
    constants += [
        ("split", np.array([0, steps, heads, -1], np.int64)),
        ("whole", np.array([0, 0, width], np.int64)),
        ("mask", np.triu(np.full((steps, steps), -1e4, np.float32), 1)),
        ("scale", np.float32((width / heads) ** 0.5)),
        ("root", np.float32(2**0.5)),
        ("one", np.float32(1)),
        ("half", np.float32(0.5)),
    ]
    n = helper.make_node
    nodes = [n("LayerNormalization", ["x", "g", "b"], ["l"], axis=-1)]
    for k, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes += [
            n("MatMul", ["l", f"w{k}"], [f"{k}0"]),
            n("Reshape", [f"{k}0", "split"], [f"{k}1"]),
            n("Transpose", [f"{k}1"], [f"{k}2"], perm=order),
        ]
    nodes += [
        n("MatMul", ["q2", "k2"], ["s0"]),
        n("Div", ["s0", "scale"], ["s1"]),
        n("Add", ["s1", "mask"], ["s2"]),
        n("Softmax", ["s2"], ["s3"], axis=-1),
        n("MatMul", ["s3", "v2"], ["a0"]),
        n("Transpose", ["a0"], ["a1"], perm=[0, 2, 1, 3]),
        n("Reshape", ["a1", "whole"], ["a2"]),
        n("MatMul", ["a2", "wo"], ["a3"]),
        n("Add", ["a3", "x"], ["r"]),
        n("MatMul", ["r", "w1"], ["h0"]),
        n("Add", ["h0", "b1"], ["h1"]),
        n("Div", ["h1", "root"], ["e0"]),
        n("Erf", ["e0"], ["e1"]),
        n("Add", ["e1", "one"], ["e2"]),
        n("Mul", ["h1", "e2"], ["e3"]),
        n("Mul", ["e3", "half"], ["e4"]),
        n("MatMul", ["e4", "w2"], ["h2"]),
        n("Add", ["h2", "r"], ["y"]),
    ]
    return model_of(nodes, [("x", 1, ("N", steps, width))], [("y", 1, None)], constants)


def test_a_transformer_block_equals_onnx_runtime():
    graph = read(_attention(), "m", "m")
    for seed in range(5):
        (ours,), (theirs,) = both(graph, values_of(graph, seed))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    with open_oracle("tflm", graph) as tflm:
        np.testing.assert_allclose(tflm.invoke(values_of(graph, 4)).outputs[0], ours, rtol=1e-5, atol=1e-5)


def test_generated_c_of_an_onnx_model_runs_on_the_host(tmp_path):
    for name, data in (("attention", _attention()), ("network", network(3))):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        done = called("validate", tmp_path / f"{name}.onnx", "-b", "host", "--vectors", "3")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "onnxruntime" in done.stdout and "layers" in done.stdout
