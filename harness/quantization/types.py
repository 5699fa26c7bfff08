"""Element types and affine quantization of tensors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.generic]
Clamp: TypeAlias = tuple[int, int]
"""Lowest and highest output value, in the output tensor's quantized units."""


_LARGEST_FLOAT = int(np.finfo(np.float32).max)


class DType(Enum):
    """Element types a tensor may have; the value is numpy's name."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    BOOL = "bool"
    FLOAT32 = "float32"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """The numpy dtype."""
        return np.dtype(self.value)

    @property
    def size(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def range(self) -> Clamp:
        """Lowest and highest value; of float32 finite ones, which are integers too."""
        if self is DType.BOOL:
            return 0, 1
        if self is DType.FLOAT32:
            return -_LARGEST_FLOAT, _LARGEST_FLOAT
        info = np.iinfo(self.value)
        return int(info.min), int(info.max)


class Rounding(Enum):
    """How results of quantized operators are rounded to integers; the value is its name in files and messages."""

    TFLM = "tflm"
    """TensorFlow Lite Micro's: by multipliers of 31 bits, twice, ties away from zero."""
    ONNX = "onnx"
    """ONNX Runtime's: in float32, once, ties to even (harness/quantization/onnx_rounding.py)."""


@dataclass(frozen=True)
class Quantization:
    """Affine quantization: real = scale * (q - zero_point).

    One scale and zero_point for the whole tensor (axis None), or one per slice along `axis`.
    Source: TensorFlow Lite 8-bit quantization specification.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantization."""
        return self.zero_points[0]

    @property
    def per_channel(self) -> bool:
        """Whether there is more than one scale."""
        return len(self.scales) > 1


class Quantized(Protocol):
    """A tensor as quantization sees it; harness.ir.graph.Tensor is one."""

    @property
    def name(self) -> str:
        """The tensor's name, for messages."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements per dimension."""

    @property
    def dtype(self) -> DType:
        """Element type."""

    @property
    def q(self) -> Quantization:
        """The quantization.

        Raises:
            GraphError: there is none.
        """
