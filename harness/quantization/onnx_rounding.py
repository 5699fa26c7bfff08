"""How ONNX Runtime makes integers of the results of quantized operators: in float32, rounded once, ties to even.

Layers with weights: float32(sum) * (scale_x * scale_w / scale_y), the sum exact in 32 bits, the factor computed in
float32 from left to right (onnxruntime/core/mlas/lib/quantize.cpp, MlasRequantizeOutput; QLinearConv, QLinearMatMul and
QGemm share it). ADD, SUB and MUL: what DequantizeLinear, the operator in float32 and QuantizeLinear give, which is x /
scale. tests/quantization/host/test_onnx_rounding.py compares each with onnxruntime.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import Ints
from harness.quantization.types import Array, Quantized

Floats = npt.NDArray[np.float32]


def onnx_factors(x: Quantized, w: Quantized, y: Quantized, channels: int) -> Floats:
    """float32[channels]: what a layer's sums are multiplied by."""
    scales = np.broadcast_to(np.array(w.q.scales, np.float32), (channels,))
    factors: Floats = np.float32(x.q.scale) * scales / np.float32(y.q.scale)
    return factors


def nearest_even(values: npt.ArrayLike) -> Ints:
    """float32 to the nearest integer, ties to even; beyond 30 bits only the side is right. No number gives 0."""
    limited = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=1e9, neginf=-1e9)
    rounded: Ints = np.rint(np.clip(limited, -1e9, 1e9)).astype(np.int64)
    return rounded


def onnx_scaled(sums: npt.ArrayLike, factors: npt.ArrayLike) -> Ints:
    """Sums, which fit int32, times their factors: before the zero point and the clamp."""
    with np.errstate(over="ignore"):
        return nearest_even(np.asarray(sums, np.int64).astype(np.float32) * np.asarray(factors, np.float32))


def onnx_quantized(values: Array, y: Quantized) -> Array:
    """QuantizeLinear of float32: x / scale, plus zero point, saturated; what is no number gives the zero point."""
    with np.errstate(all="ignore"):
        ratio = values.astype(np.float32) / np.float32(y.q.scale)
    made: Array = np.clip(nearest_even(ratio) + y.q.zero_point, *y.dtype.range).astype(y.dtype.numpy)
    return made
