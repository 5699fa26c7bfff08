"""RESIZE_NEAREST_NEIGHBOR, NHWC: every output pixel is one input pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Attrs, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing, damaged
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType


@dataclass(frozen=True)
class ResizeAttrs(Attrs):
    """RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: where output pixels lie in the input."""

    align_corners: bool
    half_pixel_centers: bool


def verify_resize(v: View) -> None:
    """Checks that an image becomes one of another height and width."""
    x, y, attrs = v.x(), v.y(), v.attrs(ResizeAttrs)
    v.need(len(x.shape) == len(y.shape) == 4, f"resizes {list(x.shape)} to {list(y.shape)}, which are not NHWC")
    v.shape(y, (x.shape[0], *y.shape[1:3], x.shape[3]))
    both = attrs.align_corners and attrs.half_pixel_centers
    v.need(not both, "has both align_corners and half_pixel_centers, which TFLM refuses")
    v.moved(x, y)


def nearest(size: int, wanted: int, attrs: ResizeAttrs) -> npt.NDArray[np.int64]:
    """int64[wanted]: the input row or column of each output row or column.

    In float32, as in TFLM (reference/resize_nearest_neighbor.h, GetNearestNeighbor).
    """
    aligned = attrs.align_corners and wanted > 1
    scale = np.float32(size - 1) / np.float32(wanted - 1) if aligned else np.float32(size) / np.float32(wanted)
    at = (np.arange(wanted, dtype=np.float32) + np.float32(0.5 if attrs.half_pixel_centers else 0)) * scale
    found = np.floor(at.astype(np.float64) + 0.5) if attrs.align_corners else np.floor(at)
    return np.clip(found.astype(np.int64), 0, size - 1)


def pixels(x: Tensor, y: Tensor, attrs: ResizeAttrs) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Input row of each output row, and input column of each output column."""
    return nearest(x.shape[1], y.shape[1], attrs), nearest(x.shape[2], y.shape[2], attrs)


def resize_nearest(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The nearest input pixel of each output pixel."""
    rows, columns = pixels(op.x, op.y, cast(ResizeAttrs, op.attrs))
    return (array(inputs, 0)[:, rows][:, :, columns],)


def read_resize(op: Reading) -> Read:
    """Inputs: image, size. Vtable offsets of the flags differ between the two operators."""
    op.count(2)
    if op.constant(1, "size") != op.output().shape[1:3]:
        raise damaged(f"{op.place}: {op.name} to a size that is not its output's")
    first = 4 if op.name == "RESIZE_NEAREST_NEIGHBOR" else 8
    return op.ids(0), ResizeAttrs(op.flag(first), op.flag(first + 2))


def write_resize(to: Writing, node: Node) -> OperatorDraft:
    """The same, written."""
    attrs = cast(ResizeAttrs, node.attrs)
    size = to.constant("size", to.graph.tensors[node.outputs[0]].shape[1:3])
    fields = {"AlignCorners": attrs.align_corners, "HalfPixelCenters": attrs.half_pixel_centers}
    options = "ResizeNearestNeighbor" if node.op == "RESIZE_NEAREST_NEIGHBOR" else "ResizeBilinear"
    return OperatorDraft(node.op, (*node.inputs, size), node.outputs, options, fields)


OPERATORS = (
    Operator(
        "RESIZE_NEAREST_NEIGHBOR",
        verify_resize,
        resize_nearest,
        attrs=ResizeAttrs,
        types=same(DType.FLOAT32, DType.INT8, DType.INT16),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(97, write_resize, read_resize, options=74, operands=REST),
    ),
)
