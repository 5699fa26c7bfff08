"""Quantized ONNX files: int8 layers, equal to TFLM, and how far from ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from harness.frontends import load
from harness.frontends.onnx.reader import read
from harness.ir.interpreter import run
from harness.oracle import open_oracle
from harness.quantization import requantize
from harness.quantization.types import DType
from tests.support.onnx_networks import both, model_of, small_network, values_of


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
            inputs = values_of(graph, seed)
            with open_oracle("tflm", graph) as tflm:
                np.testing.assert_array_equal(run(graph, inputs).outputs[0], tflm.invoke(inputs).outputs[0])
            ours, theirs = both(graph, inputs)
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
    graph = read(model_of([node], [("x", kind, (1, 4, 24, 24))], [("y", kind, None)], constants), "m", "m")
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
