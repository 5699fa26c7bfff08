"""The rule of ONNX's rounding against ONNX Runtime's integer operators, element by element.

Inputs and weights stay small: on x86 without VNNI ONNX Runtime adds pairs of products in 16 bits, which saturate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

from harness.quantization.onnx_rounding import nearest_even, onnx_quantized, onnx_scaled
from harness.quantization.types import DType, Quantization
from tests.support.scale import scaled

TYPES = {np.int8: (TensorProto.INT8, -128, 127), np.uint8: (TensorProto.UINT8, 0, 255)}
LEVELS = onnxruntime.GraphOptimizationLevel
SEEDS = st.integers(0, 2**32 - 1)


def ran(op: str, inputs: dict[str, Any], constants: dict[str, Any], order: list[str], *, optimized: bool, **more: Any):
    """The output of one operator."""
    node = helper.make_node(op, order, ["y"], **more)
    kind = TYPES[next(iter(inputs.values())).dtype.type][0]
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(name, kind, x.shape) for name, x in inputs.items()],
        [helper.make_tensor_value_info("y", kind, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS.ORT_ENABLE_ALL if optimized else LEVELS.ORT_DISABLE_ALL
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    model = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def draw(seed: int):
    rng = np.random.default_rng(seed)
    kind = [np.int8, np.uint8][int(rng.integers(2))]
    low, high = TYPES[kind][1:]
    zeros = [int(n) for n in rng.integers(low, high + 1, 2)]
    return rng, kind, low, high, zeros


@pytest.mark.parametrize("optimized", [False, True])
@settings(max_examples=scaled(8, 200), deadline=None)
@given(seed=SEEDS)
def test_convolutions(optimized: bool, seed: int) -> None:
    rng, kind, low, high, (x_zero, y_zero) = draw(seed)
    c, out = (int(n) for n in rng.integers(1, 20, 2))
    x = np.clip(rng.integers(-40, 41, (1, c, 8, 8)) + x_zero, low, high).astype(kind)
    w = rng.integers(-60, 61, (out, c, 3, 3)).astype(np.int8)
    bias = rng.integers(-2000, 2001, out).astype(np.int32)
    x_scale, w_scales = np.float32(rng.uniform(0.005, 0.1)), rng.uniform(0.001, 0.02, out).astype(np.float32)
    y_scale = np.float32(x_scale * 0.01 * 20 * np.sqrt(9 * c) * rng.uniform(0.2, 2))
    constants = {"xs": x_scale, "xz": kind(x_zero), "w": w, "ws": w_scales, "wz": np.zeros(out, np.int8)}
    constants |= {"ys": y_scale, "yz": kind(y_zero), "b": bias}
    order = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"]
    theirs = ran("QLinearConv", {"x": x}, constants, order, optimized=optimized)
    windows = sliding_window_view(x[0].astype(np.int64) - x_zero, (3, 3), axis=(1, 2))
    sums = np.einsum("cijkl,ockl->ijo", windows, w.astype(np.int64)) + bias
    ours = np.clip(onnx_scaled(sums, x_scale * w_scales / y_scale) + y_zero, low, high)
    np.testing.assert_array_equal(ours.transpose(2, 0, 1)[None], theirs)


@pytest.mark.parametrize("optimized", [False, True])
@settings(max_examples=scaled(8, 200), deadline=None)
@given(seed=SEEDS)
def test_products_of_matrices(optimized: bool, seed: int) -> None:
    """QLinearMatMul, and QGemm, whose alpha comes first."""
    rng, kind, low, high, (x_zero, y_zero) = draw(seed)
    depth, out = (int(n) for n in rng.integers(1, 70, 2))
    x = np.clip(rng.integers(-40, 41, (5, depth)) + x_zero, low, high).astype(kind)
    w = rng.integers(-60, 61, (depth, out)).astype(np.int8)
    bias = rng.integers(-500, 501, out).astype(np.int32)
    x_scale, w_scale, y_scale = (np.float32(rng.uniform(a, b)) for a, b in ((0.01, 0.1), (0.001, 0.02), (0.01, 0.5)))
    alpha = np.float32(rng.uniform(0.5, 2))
    constants = {"xs": x_scale, "xz": kind(x_zero), "w": w, "ws": w_scale, "wz": np.int8(0), "ys": y_scale}
    constants |= {"yz": kind(y_zero)}
    sums = (x.astype(np.int64) - x_zero) @ w.astype(np.int64)
    theirs = ran(
        "QLinearMatMul", {"x": x}, constants, ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], optimized=optimized
    )
    ours = np.clip(onnx_scaled(sums, x_scale * w_scale / y_scale) + y_zero, low, high)
    np.testing.assert_array_equal(ours, theirs)
    order = ["x", "xs", "xz", "w", "ws", "wz", "b", "ys", "yz"]
    more = {"domain": "com.microsoft", "alpha": float(alpha)}
    theirs = ran("QGemm", {"x": x}, constants | {"b": bias}, order, optimized=optimized, **more)
    ours = np.clip(onnx_scaled(sums + bias, alpha * x_scale * w_scale / y_scale) + y_zero, low, high)
    np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=scaled(20, 300), deadline=None)
@given(seed=SEEDS)
def test_quantize_linear(seed: int) -> None:
    """Values beside ties, and far beyond the type."""
    rng, kind, low, high, (_, zero) = draw(seed)
    scale = np.float32(rng.uniform(1e-3, 1))
    x = (np.float32(scale) * (rng.integers(-300, 300, 2000) + rng.choice([0, 0.5, 0.5, 0.49], 2000))).astype(np.float32)
    x[:6] = [np.inf, -np.inf, 3e38, -3e38, 0, -0.0]
    tensor = _Tensor(Quantization((float(scale),), (zero,)), DType(np.dtype(kind).name))
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"])
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TYPES[kind][0], None)],
        [numpy_helper.from_array(np.asarray(scale), "s"), numpy_helper.from_array(np.asarray(kind(zero)), "z")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(onnx_quantized(x, tensor), session.run(None, {"x": x})[0])


def test_ties_go_to_even_numbers() -> None:
    assert list(nearest_even([0.5, 1.5, -0.5, -1.5, 2.5, 0.49999997])) == [0, 2, 0, -2, 2, 0]
    assert list(nearest_even([np.nan, np.inf, -np.inf])) == [0, 10**9, -(10**9)]


class _Tensor:
    def __init__(self, q: Quantization, dtype: DType) -> None:
        self.q, self.dtype, self.name, self.shape = q, dtype, "y", (1,)
