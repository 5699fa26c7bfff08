"""Quantized ONNX files: int8 layers with ONNX Runtime's integers, from the file to generated code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from harness.errors import GraphError, ModelFileError, OracleError
from harness.frontends import load
from harness.frontends.onnx.reader import read
from harness.frontends.tflite.reader import load as load_tflite
from harness.frontends.tflite.writer import write
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS
from harness.ir.operators.traits import Trait
from harness.oracle import open_oracle
from harness.quantization.types import DType, Rounding
from tests.support.compiled import VECTORS, check_on_board
from tests.support.onnx_networks import both, model_of, small_network, values_of
from tests.support.onnx_rounded import qdq_network, qdq_transposed
from tests.support.scale import scaled


class _Calibration(CalibrationDataReader):
    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.left = [{"x": rng.standard_normal((1, 3, 16, 16)).astype(np.float32)} for _ in range(8)]

    def get_next(self):
        return self.left.pop() if self.left else None


@pytest.fixture(scope="module", params=["QDQ", "QOperator"])
def quantized(request, tmp_path_factory):
    """Models quantized by ONNX Runtime: int8 and uint8 activations, one scale and one per channel."""
    folder = tmp_path_factory.mktemp("quantized")
    (folder / "float.onnx").write_bytes(small_network())
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
                # Seven bits, as sums of pairs of products saturate at 16 bits on x86 without VNNI.
                reduce_range=request.param == "QOperator",
            )
            paths.append(path)
    return paths


def test_quantized_models_are_int8_and_equal_onnx_runtime(quantized):
    for path in quantized:
        graph = load(path)
        layers = [node for node in graph.nodes if node.op in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD")]
        assert len(layers) == 5 and all(graph.tensors[node.outputs[0]].dtype is DType.INT8 for node in layers)
        assert any("round as ONNX Runtime does" in note for note in graph.notes)
        for seed in range(5):
            ours, theirs = both(graph, values_of(graph, seed))
            np.testing.assert_array_equal(ours[0], theirs[0])


def test_tflm_is_no_oracle_of_such_models_and_says_so(quantized):
    graph = load(quantized[0])
    for name in ("tflm", "litert-ref"):
        with pytest.raises(OracleError, match=f"'{name}' rounds as TensorFlow Lite does") as caught:
            open_oracle(name, graph)
        assert "spec" in caught.value.hint


def test_the_rounding_stands_in_the_file_that_is_written(quantized):
    for path in quantized:
        graph = load(path)
        again = load_tflite(graph.model, name=graph.name)
        assert [node.rounding for node in again.nodes] == [node.rounding for node in graph.nodes]
        assert not again.follows_tflm and any("round as ONNX Runtime does" in note for note in again.notes)
        inputs = values_of(graph, 0)
        np.testing.assert_array_equal(run(again, inputs).outputs[0], run(graph, inputs).outputs[0])


@pytest.mark.parametrize("seed", range(scaled(12, 400)))
def test_random_networks_equal_onnx_runtime(seed):
    """In float32, without fusions: the same integers, but where a sum of floats lies on a tie of the integers' sum."""
    graph = read(qdq_network(seed), "m", "m")
    weighted = [node for node in graph.nodes if OPERATORS[node.op].has(Trait.WEIGHTS)]
    assert weighted and all(graph.tensors[node.outputs[0]].dtype is DType.INT8 for node in weighted)
    for vector in range(3):
        ours, theirs = both(graph, values_of(graph, vector))
        np.testing.assert_array_equal(ours[0], theirs[0])


@pytest.mark.parametrize("seed", range(scaled(4, 60)))
def test_transposed_convolutions_equal_onnx_runtime(seed):
    graph = read(qdq_transposed(seed), "m", "m")
    (layer,) = (node for node in graph.nodes if OPERATORS[node.op].has(Trait.WEIGHTS))
    assert graph.tensors[layer.outputs[0]].dtype is DType.INT8
    ours, theirs = both(graph, values_of(graph, seed))
    np.testing.assert_array_equal(ours[0], theirs[0])


def test_random_networks_as_generated_code_equal_the_specification():
    graphs = [read(qdq_network(seed), "m", f"m{seed}") for seed in range(100, 100 + scaled(3, 60))]
    assert check_on_board(graphs, "host", sanitize=True) == len(graphs) * VECTORS


def test_networks_of_quantized_operators_equal_onnx_runtime():
    """QLinearConv, whose rule ONNX Runtime computes in integers."""
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
    graph = read(model_of([node], [("x", kind, (1, 4, 24, 24))], [("y", kind, None)], constants), "m", "m")
    (conv,) = (node for node in graph.nodes if node.op == "CONV_2D")
    assert conv.rounding is Rounding.ONNX
    as_tflm = replace(graph, nodes=tuple(replace(node, rounding=Rounding.TFLM) for node in graph.nodes))
    differing = elements = 0
    for _ in range(10):
        # Small inputs: sums of pairs of products on x86 without VNNI saturate at 16 bits.
        x = rng.integers(-40, 40, (1, 4, 24, 24)).astype(np.int8)
        with open_oracle("onnxruntime", graph) as runtime:
            theirs = runtime.invoke([x]).outputs[0]
        np.testing.assert_array_equal(run(graph, [x]).outputs[0], theirs)
        differing, elements = differing + int((run(as_tflm, [x]).outputs[0] != theirs).sum()), elements + theirs.size
    assert 0 < differing < 0.01 * elements, "so TFLM's rounding is another"


def test_sums_that_tflm_rounds_alike_keep_its_rounding():
    """Scales that multiply to a power of two, and sums too small to meet a tie."""
    constants = [
        ("xs", np.float32(0.5)),
        ("xz", np.int8(0)),
        ("w", np.ones((1, 1, 1, 1), np.int8)),
        ("ws", np.float32(1.0)),
        ("wz", np.int8(0)),
        ("ys", np.float32(0.5)),
        ("yz", np.int8(0)),
    ]
    node = helper.make_node("QLinearConv", ["x", *(name for name, _ in constants)], ["y"])
    kind = TensorProto.INT8
    graph = read(model_of([node], [("x", kind, (1, 1, 3, 3))], [("y", kind, None)], constants), "m", "m")
    assert graph.follows_tflm and any("as is proved" in note for note in graph.notes)
    x = np.arange(-4, 5).astype(np.int8).reshape(1, 1, 3, 3)
    with open_oracle("tflm", graph) as tflm, open_oracle("onnxruntime", graph) as runtime:
        np.testing.assert_array_equal(tflm.invoke([x]).outputs[0], runtime.invoke([x]).outputs[0])


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b'{"onnx":7}', b'{"onnx":[0.5]}', b'{"onnx":[true]}', b'{"onnx":[99]}', b'{"onnx":[-1]}']
    + [b'{"onnx":[0,0]}', b'{"odd":[0]}', b'{"onnx":["0"]}', b"\xff", b"[" * 2000],
)
def test_damaged_roundings_in_a_file_are_refused(content, quantized):
    graph = load(quantized[0])
    bare = replace(graph, nodes=tuple(replace(node, rounding=Rounding.TFLM) for node in graph.nodes))
    with pytest.raises(ModelFileError, match="tinyhil.rounding") as caught:
        load_tflite(write(bare, {"tinyhil.rounding": content}), name="m")
    assert caught.value.hint


def test_a_rounding_of_an_operator_that_has_none_is_refused(quantized):
    graph = load(quantized[0])
    bare = replace(graph, nodes=tuple(replace(node, rounding=Rounding.TFLM) for node in graph.nodes))
    number = next(i for i, node in enumerate(graph.nodes) if node.op == "MAX_POOL_2D")
    with pytest.raises(GraphError, match="is rounded as onnx"):
        load_tflite(write(bare, {"tinyhil.rounding": b'{"onnx":[%d]}' % number}), name="m")
