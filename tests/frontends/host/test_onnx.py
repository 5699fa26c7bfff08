"""ONNX files: whole networks against ONNX Runtime, quantized ones against TFLM, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from harness.errors import ModelFileError, OptionError, OracleError, TinyhilError, UnsupportedModelError
from harness.frontends import load
from harness.frontends.onnx.reader import read
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from harness.quantization import requantize
from harness.quantization.types import DType
from tests.support.command import called
from tests.support.onnx_networks import network
from tests.support.paths import FIXTURES
from tests.support.scale import scaled


def _model(nodes, inputs, outputs, constants=(), opset=17, **shapes) -> bytes:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(data), name) for name, data in constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def _unary(op: str, shape=(1, 4), kind=TensorProto.FLOAT, **attributes) -> bytes:
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    return _model([node], [("x", kind, shape)], [("y", kind, None)])


def _values(graph: Graph, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(graph.tensors[t].shape).astype(np.float32) for t in graph.inputs]


def _both(graph: Graph, inputs) -> tuple[tuple, tuple]:
    """(our outputs, ONNX Runtime's)."""
    with open_oracle("onnxruntime", graph) as runtime:
        return run(graph, inputs).outputs, runtime.invoke(inputs).outputs


# --- float32 ---------------------------------------------------------------------------------------------------------


def test_random_networks_equal_onnx_runtime():
    """Fused activations and batch norms, flattened images, transposed and joined branches, read once and twice."""
    for seed in range(scaled(60, 1500)):
        graph = read(network(seed), f"network {seed}", "network")
        for ours, theirs in zip(*_both(graph, _values(graph, seed)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}")


def test_a_network_is_what_tflm_computes():
    for seed in range(scaled(12, 200)):
        graph = read(network(seed), "network", "network")
        inputs = _values(graph, seed)
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
    data = _model(nodes, [("x", 1, ("N", 3, 8, 8))], [("y", 1, None)], constants)
    graph = read(data, "m", "m")
    moved = ("RESHAPE", "TRANSPOSE")
    assert [op for op in graph.source_ops if op not in moved] == ["CONV_2D", "MEAN"]
    assert graph.source_ops.count("TRANSPOSE") == 1, "of the input alone"
    assert graph.notes == ("input 'x': dimension 0 (N) is taken as 1",)
    last = read(data, "m", "m", images_last=True)
    assert "TRANSPOSE" not in last.source_ops and last.tensors[last.inputs[0]].shape == (1, 8, 8, 3)
    (x,) = _values(graph)
    ours, theirs = _both(graph, [x])
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
        graph = read(_model([node], inputs, [(name, 1, None) for name in outputs], weights), "m", "m")
        for ours, theirs in zip(*_both(graph, _values(graph, seed)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}")


# --- quantized -------------------------------------------------------------------------------------------------------


class _Calibration(CalibrationDataReader):
    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.left = [{"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32)} for _ in range(8)]

    def get_next(self):
        return self.left.pop() if self.left else None


def _float_network() -> bytes:
    rng = np.random.default_rng(2)
    shapes = {"w1": (8, 3, 3, 3), "b1": (8,), "w2": (8, 1, 3, 3), "w3": (8, 8, 1, 1), "w4": (5, 8 * 16), "b4": (5,)}
    constants = [(name, (rng.standard_normal(shape) * 0.3).astype(np.float32)) for name, shape in shapes.items()]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=8),
        helper.make_node("Conv", ["c2", "w3"], ["c3"]),
        helper.make_node("Add", ["c3", "r1"], ["a"]),
        helper.make_node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], transB=1),
    ]
    return _model(nodes, [("x", 1, (1, 3, 16, 16))], [("y", 1, (1, 5))], constants)


@pytest.fixture(scope="module", params=["QDQ", "QOperator"])
def quantized(request, tmp_path_factory):
    """Models quantized by ONNX Runtime: int8 and uint8 activations, one scale and one per channel."""
    folder = tmp_path_factory.mktemp("quantized")
    (folder / "float.onnx").write_bytes(_float_network())
    paths = []
    for kind in (QuantType.QInt8, QuantType.QUInt8):
        for per_channel in (False, True):
            path = folder / f"{kind}_{per_channel}.onnx"
            quantize_static(
                folder / "float.onnx",
                path,
                _Calibration(),
                quant_format=QuantFormat[request.param],
                activation_type=kind,
                weight_type=QuantType.QInt8,
                per_channel=per_channel,
            )
            paths.append(path)
    return paths


def test_quantized_models_are_int8_and_equal_tflm(quantized):
    for path in quantized:
        graph = load(path)
        layers = [node for node in graph.nodes if node.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")]
        assert len(layers) == 5 and all(graph.tensors[node.outputs[0]].dtype is DType.INT8 for node in layers)
        assert any("round as TFLM does" in note for note in graph.notes)
        for seed in range(5):
            inputs = _values(graph, seed)
            with open_oracle("tflm", graph) as tflm:
                np.testing.assert_array_equal(run(graph, inputs).outputs[0], tflm.invoke(inputs).outputs[0])
            ours, theirs = _both(graph, inputs)
            (step,) = {graph.tensors[t].q.scale for node in graph.nodes[-1:] for t in node.inputs}
            assert np.abs(ours[0] - theirs[0]).max() <= 3.01 * step, "a few steps of the last scale"


def test_only_the_rounding_differs_from_onnx():
    """QLinearConv: with ONNX's rule in place of TFLM's, the same graph gives ONNX Runtime's integers."""
    rng = np.random.default_rng(3)
    constants = [
        ("xs", np.float32(0.02)),
        ("xz", np.int8(3)),
        ("w", rng.integers(-60, 60, (16, 4, 3, 3)).astype(np.int8)),
        ("ws", (rng.random(16) * 0.01 + 0.001).astype(np.float32)),
        ("wz", np.zeros(16, np.int8)),
        ("ys", np.float32(0.05)),
        ("yz", np.int8(-7)),
        ("b", rng.integers(-900, 900, 16).astype(np.int32)),
    ]
    node = helper.make_node("QLinearConv", ["x", *(name for name, _ in constants)], ["y"], pads=[1, 1, 1, 1])
    kind = TensorProto.INT8
    graph = read(_model([node], [("x", kind, (1, 4, 24, 24))], [("y", kind, None)], constants), "m", "m")
    assert graph.source_ops.count("CONV_2D") == 1
    rule = dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), requantize.onnx)
    differing = elements = 0
    for _ in range(10):
        # Small inputs: sums of pairs of products on x86 without VNNI saturate at 16 bits.
        x = rng.integers(-40, 40, (1, 4, 24, 24)).astype(np.int8)
        with open_oracle("onnxruntime", graph) as runtime:
            theirs = runtime.invoke([x]).outputs[0]
        np.testing.assert_array_equal(run(graph, [x], rounding=rule).outputs[0], theirs)
        apart = run(graph, [x]).outputs[0].astype(int) - theirs
        assert np.abs(apart).max() <= 1
        differing, elements = differing + int((apart != 0).sum()), elements + apart.size
    assert 0 < differing < 0.01 * elements


# --- what is refused -------------------------------------------------------------------------------------------------


def test_all_that_has_no_form_is_named_at_once_with_counts():
    nodes = [
        *(helper.make_node("Acosh", ["x"], [f"a{i}"]) for i in range(2)),
        helper.make_node("Relu", ["a0"], ["r"]),
        helper.make_node("Pow", ["x", "e"], ["p"]),
        helper.make_node("MaxPool", ["x"], ["m"], kernel_shape=[2, 2], dilations=[2, 2]),
        helper.make_node("Sum", ["r", "a1", "p"], ["y"]),
    ]
    data = _model(
        nodes, [("x", 1, (1, 2, 5, 5))], [("y", 1, None), ("m", 1, None)], [("e", np.float32(2.5))]
    )
    with pytest.raises(UnsupportedModelError) as caught:
        read(data, "net.onnx", "net")
    assert caught.value.message == (
        "net.onnx: not supported: operators: Acosh x2; "
        "features: Pow with exponent 2.5 x1, MaxPool with dilations [2, 2] x1"
    )
    assert "tinyhil docs onnx" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_unary("Relu", ("N", "frames")), "left open: frames"),
        (_unary("Relu", (1, None)), r"left open: x\[1\]"),
        (_unary("Relu", kind=TensorProto.DOUBLE), r"types: double \(input\) x1"),
        (_unary("Relu", kind=TensorProto.FLOAT16), r"types: float16 \(input\) x1"),
        (_model([], [("x", 1, (1,))], [("x", 1, (1,))], opset=5), "opset 5, where 7 to"),
        (_model([], [("x", 1, (1,))], [("x", 1, (1,))], opset=999), "opset 999"),
        (_unary("Softmax", axis=7), "axis"),
        (b"", "without a graph"),
        (b"\x00\x01nonsense", "no ONNX file, or a damaged one"),
        (b'{"graph": {}}', "text, not an ONNX file"),
    ],
)
def test_each_kind_of_bad_input_is_one_clear_error(data, said):
    with pytest.raises(TinyhilError, match=said) as caught:
        read(data, "m", "m")
    assert caught.value.hint


def test_weights_in_other_files_are_refused_with_the_line_that_joins_them(tmp_path):
    model = onnx.load_from_string(_float_network())
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(UnsupportedModelError, match="6 tensors .* in files beside it") as caught:
        load(tmp_path / "m.onnx")
    assert "onnx.save(onnx.load(" in caught.value.hint


def test_huge_constants_are_refused_before_they_are_made():
    node = helper.make_node("ConstantOfShape", ["s"], ["c"])
    add = helper.make_node("Add", ["x", "c"], ["y"])
    shape = np.array([1 << 20, 1 << 20], np.int64)
    data = _model([node, add], [("x", 1, (1, 1))], [("y", 1, None)], [("s", shape)])
    with pytest.raises(UnsupportedModelError, match="a constant that is too large"):
        read(data, "m", "m")


def test_without_the_package_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    (tmp_path / "m.onnx").write_bytes(_unary("Relu"))
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ModelFileError, match="onnx, which is not installed") as caught:
        load(tmp_path / "m.onnx")
    assert caught.value.hint == "pip install 'tinyhil[onnx]'"


def test_the_oracle_says_that_a_tflite_is_no_onnx_file():
    with pytest.raises(OracleError, match="no file for 'onnxruntime'"):
        open_oracle("onnxruntime", load(FIXTURES / "digits.tflite"))


@settings(max_examples=scaled(40, 1000), deadline=None)
@given(st.integers(0, 3), st.randoms(use_true_random=False))
def test_damaged_files_are_one_clear_error(kind, chance):
    data = bytearray(_float_network())
    place = chance.randrange(len(data) - 8)
    if kind == 0:
        del data[place:]
    elif kind == 1:
        del data[place : place + chance.randrange(1, 8)]
    else:
        # Names and numbers of nodes stand in front of the weights.
        data[chance.randrange(600) if kind == 2 else place] = chance.randrange(256)
    try:
        read(bytes(data), "m", "m")
    except TinyhilError as error:
        assert error.hint and "m: " in error.message or "package" in error.message


# --- the command -----------------------------------------------------------------------------------------------------


def test_convert_writes_a_tflite_with_the_sizes_given(tmp_path: Path):
    source, made = tmp_path / "m.onnx", tmp_path / "m.tflite"
    source.write_bytes(_unary("Sigmoid", ("N", "frames", 4)))
    refused = called("analyze", source)
    assert refused.returncode == 2 and "--dim frames=N" in refused.stderr
    done = called("convert", source, "-o", made, "--dim", "frames=6")
    assert done.returncode == 0 and "float32[1, 6, 4]" in done.stdout and "(frames) is taken as 6" in done.stderr
    graph = load(made)
    (x,) = _values(graph)
    np.testing.assert_allclose(run(graph, [x]).outputs[0], 1 / (1 + np.exp(-x)), rtol=1e-5)
    document = json.loads(called("convert", source, "-o", made, "--dim", "frames=6", "--json").stdout)
    assert document["operators"] == ["LOGISTIC"] and document["bytes"] == made.stat().st_size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dim", "frames"), "no NAME=N"),
        (("--dim", "frames=0"), "no NAME=N"),
        (("--dim", "frames=6", "--dim", "rows=2"), "no dimension rows open"),
        (("-o", "m.onnx"), "no name of a .tflite"),
    ],
)
def test_convert_refuses_wrong_options(tmp_path, arguments, said):
    source = tmp_path / "m.onnx"
    source.write_bytes(_unary("Sigmoid", ("N", "frames", 4)))
    done = called("convert", source, "-o", tmp_path / "m.tflite", *arguments)
    assert done.returncode == 2 and said in done.stderr and not (tmp_path / "m.tflite").exists()


def test_a_size_of_a_dimension_that_is_fixed_is_refused():
    with pytest.raises(OptionError, match="leaves no dimension x"):
        read(_unary("Relu", (1, 4)), "m", "m", {"x": 2})


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
    return _model(nodes, [("x", 1, ("N", steps, width))], [("y", 1, None)], constants)


def test_a_transformer_block_equals_onnx_runtime():
    graph = read(_attention(), "m", "m")
    for seed in range(5):
        (ours,), (theirs,) = _both(graph, _values(graph, seed))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    with open_oracle("tflm", graph) as tflm:
        np.testing.assert_allclose(tflm.invoke(_values(graph, 4)).outputs[0], ours, rtol=1e-5, atol=1e-5)


def test_generated_c_of_an_onnx_model_runs_on_the_host(tmp_path):
    for name, data in (("attention", _attention()), ("network", network(3))):
        (tmp_path / f"{name}.onnx").write_bytes(data)
        done = called("validate", tmp_path / f"{name}.onnx", "-b", "host", "--vectors", "3")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "onnxruntime" in done.stdout and "layers" in done.stdout
