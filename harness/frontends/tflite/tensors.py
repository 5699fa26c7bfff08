"""Tensors of a .tflite file as those of a Graph."""

from __future__ import annotations

from math import prod

from harness.errors import ModelFileError
from harness.frontends.tflite.schema import FileTensor, as_array
from harness.ir.graph import Tensor
from harness.ir.operators.tflite import damaged
from harness.ir.verifier import MAX_TENSOR_BYTES
from harness.quantization.types import DType, Quantization

_MIN_SCALE = 1e-30  # smaller than any real scale; keeps ratios of scales finite in float32


def build_tensor(tensor: FileTensor, channel_axis: int | None, is_bias: bool) -> Tensor:
    """The Graph's tensor of a tensor of the file; per-channel scales lie along `channel_axis`, where it is known.

    Raises:
        ModelFileError: its shape is impossible, or its data has another length.
    """
    if any(n < 1 for n in tensor.shape):
        raise damaged(f"{tensor.place}: shape {list(tensor.shape)}")
    try:
        dtype = DType(tensor.type)
    except ValueError:
        raise damaged(f"{tensor.place}: element type {tensor.type} where tinyhil needs another") from None
    if prod(tensor.shape) * dtype.size > MAX_TENSOR_BYTES:
        raise ModelFileError(
            f"{tensor.place}: shape {list(tensor.shape)} needs more than {MAX_TENSOR_BYTES} bytes",
            hint="no microcontroller holds such a tensor; if the model is smaller than that, the file is damaged",
        )
    data = as_array(tensor, dtype.value, tensor.shape)
    quant = _quantization(tensor, channel_axis, is_bias)
    return Tensor(tensor.name, tensor.shape, dtype, quant, data, tensor.index)


def _quantization(tensor: FileTensor, channel_axis: int | None, is_bias: bool) -> Quantization | None:
    scales, zero_points = tensor.scales, tensor.zero_points
    if not scales or not zero_points:
        return None
    if len(zero_points) != len(scales):
        if len(zero_points) != 1:
            raise damaged(f"{tensor.place}: {len(scales)} scales, but {len(zero_points)} zero points")
        zero_points = zero_points * len(scales)
    if not all(s == 0 or _MIN_SCALE <= s <= 1 / _MIN_SCALE for s in scales):
        raise damaged(f"{tensor.place}: quantization scales that are negative, not finite or absurd")
    if len(scales) == 1:
        return Quantization(scales, zero_points)
    if is_bias:
        return Quantization(scales, zero_points, 0)
    if not 0 <= tensor.axis < len(tensor.shape) or tensor.shape[tensor.axis] != len(scales):
        raise damaged(
            f"{tensor.place}: {len(scales)} scales along dimension {tensor.axis} of shape {list(tensor.shape)}"
        )
    return Quantization(scales, zero_points, tensor.axis if channel_axis is None else channel_axis)
