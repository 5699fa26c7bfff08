"""Requantization of a layer's sums to the scale of its output, as TFLM and other interpreters round it.

tests/oracle/host/test_oracle_boundaries.py compares each with its interpreter, on sums where the roundings differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.quantization.fixedpoint import (
    Ints,
    multiply_by_quantized_multiplier,
    multiply_rounding_up,
    quantize_multiplier,
)
from harness.quantization.onnx_rounding import onnx_factors, onnx_scaled
from harness.quantization.params import channel_factors, channel_params
from harness.quantization.types import Quantized, Rounding

Requantize: TypeAlias = Callable[[Ints, Quantized, Quantized, Quantized], Ints]
"""(int32 sums with channels last, layer's input, weights, output) -> sums * scale_x * scale_w[c] / scale_y, rounded."""

Multiply: TypeAlias = Callable[[Ints, npt.ArrayLike, npt.ArrayLike], Ints]


def tflm(sums: Ints, x: Quantized, w: Quantized, y: Quantized) -> Ints:
    """TFLM: a multiplier of 31 bits from scales multiplied in double; rounds twice."""
    return multiply_by_quantized_multiplier(sums, *channel_params(x, w, y, sums.shape[-1]))


def rounding_up(sums: Ints, x: Quantized, w: Quantized, y: Quantized) -> Ints:
    """LiteRT's optimised kernels: the same multiplier, ties of the second rounding go up."""
    return multiply_rounding_up(sums, *channel_params(x, w, y, sums.shape[-1]))


def nearest(sums: Ints, x: Quantized, w: Quantized, y: Quantized) -> Ints:
    """FULLY_CONNECTED in ai-edge-litert's reference kernels: product with the factor in double, rounded once."""
    rounded: Ints = np.rint(sums * np.array(channel_factors(x, w, y, sums.shape[-1]))).astype(np.int64)
    return rounded


def scales_in_float(multiply: Multiply, per_channel: Requantize) -> Requantize:
    """`multiply` by a multiplier from scale_x * scale_w in float32 where weights have one scale, else `per_channel`."""

    def requantize(sums: Ints, x: Quantized, w: Quantized, y: Quantized) -> Ints:
        if w.q.per_channel:
            return per_channel(sums, x, w, y)
        product = np.float32(x.q.scale) * np.float32(w.q.scale)
        return multiply(sums, *quantize_multiplier(float(product) / float(np.float32(y.q.scale))))

    return requantize


def onnx(sums: Ints, x: Quantized, w: Quantized, y: Quantized) -> Ints:
    """ONNX's QLinear operators, see onnx_rounding.py."""
    return onnx_scaled(sums, onnx_factors(x, w, y, sums.shape[-1]))


REQUANTIZE: Mapping[Rounding, Requantize] = {Rounding.TFLM: tflm, Rounding.ONNX: onnx}
"""By how a node rounds."""
