"""What a name of an ONNX graph stands for: a constant, or a tensor of the network in whatever order of dimensions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.ir.graph import ABSENT
from harness.quantization.types import Array, DType


@dataclass(frozen=True, eq=False)
class OnnxValue:
    """A value of an ONNX graph.

    A TRANSPOSE of ONNX only changes `order`; elements are moved where an operator asks for another order.

    Attributes:
        name: its name in the file.
        shape: elements per dimension, in ONNX's order.
        dtype: element type in ONNX. int64 is stored as int32, uint8 as int8 (less 128).
        data: of a constant, in ONNX's order.
        tensor: id of the stored tensor; ABSENT for a constant.
        order: stored dimension i is ONNX's dimension order[i].
        columns: of a flattened image: stored column j is ONNX's column columns[j]; None: they stand in order.
        integers: of a constant that DequantizeLinear made: what it was made of.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    data: Array | None = None
    tensor: int = ABSENT
    order: tuple[int, ...] = ()
    columns: Array | None = None
    integers: QuantizedConstant | None = None

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def named(self, name: str) -> OnnxValue:
        """The same under another name."""
        return replace(self, name=name)


@dataclass(frozen=True, eq=False)
class QuantizedConstant:
    """A constant of integers with its scales.

    Attributes:
        data: int8, uint8 or int32, in ONNX's order.
        scales, zero_points: one, or one per slice along `axis`.
    """

    data: Array
    scales: Array
    zero_points: Array
    axis: int


def identity(rank: int) -> tuple[int, ...]:
    """The order of ONNX itself."""
    return tuple(range(rank))


def channels_last(rank: int) -> tuple[int, ...]:
    """The order with dimension 1, ONNX's channels, behind all others."""
    return (0, *range(2, rank), 1) if rank > 2 else identity(rank)
