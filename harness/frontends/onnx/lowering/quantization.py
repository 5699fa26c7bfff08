"""QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.frontends.onnx.value import QuantizedConstant, Value

_INTEGERS = ("int8", "uint8", "int32")


def constant_of(inputs: Sequence[Value | None], axis: int) -> QuantizedConstant | None:
    """What DequantizeLinear makes a constant of; None where it is not of a kind that layers have."""
    x, scale = inputs[0], inputs[1]
    if x is None or scale is None or x.data is None or scale.data is None or x.data.dtype.name not in _INTEGERS:
        return None
    zero = inputs[2] if len(inputs) > 2 else None
    zeros = np.zeros(scale.data.size, np.int64) if zero is None or zero.data is None else zero.data.astype(np.int64)
    axis = axis % max(x.rank, 1)
    if scale.data.ndim > 1 or scale.data.size not in (1, x.shape[axis] if x.rank else 1):
        return None
    return QuantizedConstant(x.data, scale.data.astype(np.float64), zeros.reshape(-1), axis)
