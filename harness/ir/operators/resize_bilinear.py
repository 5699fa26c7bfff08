"""RESIZE_BILINEAR, NHWC: every output pixel is weighed from four input pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.resize_nearest import ResizeAttrs, read_resize, verify_resize, write_resize
from harness.ir.operators.tflite import REST, TfliteForm
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array, DType

STEP = 1 << 10
"""Parts of a pixel in which integers are weighed."""


@dataclass(frozen=True, eq=False)
class Between:
    """Along one axis, by output row or column: the two of the input it lies between, and how far behind the first.

    Attributes:
        low, high: int64.
        far: float32 share of a pixel, or int64 in 1/STEP; may be negative before the first pixel.
    """

    low: Array
    high: Array
    far: Any


def integer_places(size: int, wanted: int, attrs: ResizeAttrs) -> Between:
    """Source: reference/resize_bilinear.h, ComputeInterpolationValuesInteger."""
    scale = (STEP * size + wanted // 2) // wanted
    if attrs.align_corners and wanted > 1:
        scale = (STEP * (size - 1) + (wanted - 1) // 2) // (wanted - 1)
    at = np.arange(wanted, dtype=np.int64) * scale
    if attrs.half_pixel_centers:
        at = at + scale // 2 - (1 << 9)
    cut = np.where(at >= 0, at // STEP, -(-at // STEP))  # as C divides
    low = np.minimum(np.maximum(cut, 0), size - 1)
    above = at + STEP - 1
    high = np.minimum(np.where(above >= 0, above // STEP, -(-above // STEP)), size - 1)
    return Between(low, high, at - STEP * low)


def float_places(size: int, wanted: int, attrs: ResizeAttrs) -> Between:
    """Source: reference/resize_bilinear.h, ComputeInterpolationValues, in float32."""
    aligned = attrs.align_corners and wanted > 1
    scale = np.float32(size - 1) / np.float32(wanted - 1) if aligned else np.float32(size) / np.float32(wanted)
    at = np.arange(wanted, dtype=np.float32)
    at = (at + np.float32(0.5)) * scale - np.float32(0.5) if attrs.half_pixel_centers else at * scale
    low = np.maximum(np.floor(at).astype(np.int64), 0)
    high = np.minimum(np.ceil(at).astype(np.int64), size - 1)  # the same one where it lies on one: 0 times inf is none
    return Between(low, high, at - low.astype(np.float32))


def resize_bilinear(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Four pixels weighed by their distance; integers in 20 bits, rounded half away from zero."""
    attrs, floats = cast(ResizeAttrs, op.attrs), op.y.dtype is DType.FLOAT32
    places, one = (float_places, np.float32(1)) if floats else (integer_places, STEP)
    rows, columns = places(op.x.shape[1], op.y.shape[1], attrs), places(op.x.shape[2], op.y.shape[2], attrs)
    x: Any = array(inputs, 0) if floats else array(inputs, 0).astype(np.int64)
    fy, fx = rows.far[:, None, None], columns.far[None, :, None]

    def seen(row: Array, column: Array) -> Any:
        return x[:, row][:, :, column]

    total = 0 * one + seen(rows.low, columns.low) * (one - fy) * (one - fx)  # of -0 alone 0 is made, as in TFLM
    total = total + seen(rows.high, columns.low) * fy * (one - fx)
    total = total + seen(rows.low, columns.high) * (one - fy) * fx
    total = total + seen(rows.high, columns.high) * fy * fx
    if floats:
        return (total.astype(np.float32),)
    rounded = np.where(total > 0, total + (1 << 19), total - (1 << 19))
    return (np.where(rounded >= 0, rounded >> 20, -((-rounded) >> 20)).astype(op.y.dtype.numpy),)


OPERATORS = (
    Operator(
        "RESIZE_BILINEAR",
        verify_resize,
        resize_bilinear,
        attrs=ResizeAttrs,
        types=same(DType.INT8, DType.FLOAT32),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(23, write_resize, read_resize, options=15, operands=REST),
    ),
)
