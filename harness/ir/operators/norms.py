"""L2_NORMALIZATION over the last dimension, and L2_POOL_2D."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.ir.graph import Node
from harness.ir.operators.float_layers import mean_inside
from harness.ir.operators.operands import Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.pooling import read_pool, verify_pool_shape, write_pool
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing, read_plain
from harness.ir.operators.view import View
from harness.ir.window import PoolAttrs
from harness.quantization.fixedpoint import Ints
from harness.quantization.inverse_root import inverse_root
from harness.quantization.types import Array, DType

_LEAST = np.float32(1e-6)


def _verify_l2(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.need(1 <= len(x.shape) <= 4, f"has {len(x.shape)} dimensions")
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    v.need((y.q.scale, y.q.zero_point) == (1 / 128, 0), "must have an output of scale 1/128 and zero point 0")


def l2_normalization(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Every row over its length. Source: reference/l2normalization.h, integer_ops/l2normalization.h."""
    if op.y.dtype is DType.FLOAT32:
        x = floats(inputs, 0)
        squares = np.add.accumulate(np.concatenate([np.zeros_like(x[..., :1]), x * x], -1), axis=-1, dtype=np.float32)
        return (x / np.maximum(np.sqrt(squares[..., -1:]), _LEAST),)
    values = centred(inputs, 0, op)
    multiplier, shift = inverse_root((values * values).sum(axis=-1, keepdims=True))
    # One rounding here, where MultiplyByQuantizedMultiplier has two.
    scaled: Ints = (128 * values * multiplier + (np.int64(1) << (30 - shift))) >> (31 - shift)
    return (clip(scaled, op.y.dtype.range, op.y),)


def l2_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """L2_POOL_2D: the root of the mean square of the elements inside the image."""
    x = floats(inputs, 0)
    return (clip(np.sqrt(mean_inside(x * x, op)), cast(PoolAttrs, op.attrs).clamp, op.y),)


def _write_l2(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs, "L2Norm")


OPERATORS = (
    Operator(
        "L2_NORMALIZATION",
        _verify_l2,
        l2_normalization,
        types=same(DType.INT8, DType.FLOAT32),
        fixed_scales={DType.INT8: (1 / 128, 0)},
        tflite=TfliteForm(11, _write_l2, read_plain),
    ),
    Operator(
        "L2_POOL_2D",
        verify_pool_shape,
        l2_pool_2d,
        attrs=PoolAttrs,
        types=same(DType.FLOAT32),
        tflite=TfliteForm(12, write_pool, read_pool, options=5, version=1),
    ),
)
