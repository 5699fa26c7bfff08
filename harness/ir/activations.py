"""Fused activations: clamps in an output tensor's quantized units."""

from __future__ import annotations

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Tensor
from harness.quantization.types import Clamp, DType

_SCALED = (DType.INT8, DType.UINT8, DType.INT16)
"""Element types whose numbers are in units of a scale; a float's or an int32's bounds are the activation's own."""


def activation_clamp(activation: str, tensor: Tensor) -> Clamp:
    """The clamp of a fused activation, in the quantized units of `tensor`.

    activation is NONE, RELU, RELU6 or RELU_N1_TO_1; bounds are zero_point + round(real / scale), round half away from
    zero in float32, intersected with the type's range (TensorFlow Lite, CalculateActivationRangeQuantized).

    Raises:
        GraphError: another activation.
    """
    real: dict[str, tuple[float | None, float | None]] = {
        "NONE": (None, None),
        "RELU": (0.0, None),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }
    if activation not in real:
        raise GraphError(
            f"fused activation {activation} into tensor '{tensor.name}' is not supported",
            hint="supported are " + ", ".join(real) + "; use a separate operator for others",
        )
    lo, hi = tensor.dtype.range
    bounds = []
    for value, default in zip(real[activation], (lo, hi), strict=True):
        if value is None:
            bounds.append(default)
        elif tensor.dtype not in _SCALED:
            bounds.append(int(value))
        else:
            ratio = float(np.float32(value) / np.float32(tensor.q.scale))
            # A tiny scale makes the bound enormous, or infinite: beyond the type it is the type's own bound.
            rounded = float(np.sign(ratio) * np.floor(np.abs(ratio) + 0.5))
            bounds.append(int(min(max(tensor.q.zero_point + rounded, lo), hi)))
    return bounds[0], bounds[1]
