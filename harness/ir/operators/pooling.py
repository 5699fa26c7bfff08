"""AVERAGE_POOL_2D and MAX_POOL_2D. Input: x NHWC; padded elements do not count."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Node
from harness.ir.operators import float_layers
from harness.ir.operators.operands import Inputs, Operands, array, clip, plain
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing, activation_number
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View
from harness.ir.operators.windows import padded, padding_number, tap, verify_window
from harness.ir.window import PoolAttrs
from harness.quantization.types import Array, DType

_TYPES = same(DType.INT8, DType.INT16, DType.FLOAT32)


def verify_pool_shape(v: View) -> None:
    """Checks shapes and padding of a pool."""
    attrs = v.attrs(PoolAttrs)
    verify_window(v, attrs.kernel, attrs)
    x, y, p, (height, width) = v.x(), v.y(), attrs.pads, attrs.kernel
    v.need(x.shape[3] == y.shape[3], "changes the number of channels")
    v.need(max(p.top, p.bottom) < height and max(p.left, p.right) < width, "has windows of nothing but padding")


def _verify(v: View) -> None:
    verify_pool_shape(v)
    x, y, (height, width) = v.x(), v.y(), v.attrs(PoolAttrs).kernel
    if y.dtype is DType.FLOAT32:
        return
    largest = -x.dtype.range[0]
    v.need(height * width * largest < INT32, f"has a kernel of {height} x {width}, with which sums overflow 32 bits")
    v.scaled(x, y)
    v.same_quant(x, y)


def average_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """AVERAGE_POOL_2D: sum over the elements inside the image, divided by their number, ties away from zero."""
    if op.y.dtype is DType.FLOAT32:
        return float_layers.average_pool_2d(inputs, op)
    attrs = cast(PoolAttrs, op.attrs)
    x = array(inputs, 0).astype(np.int64)
    image = padded(x, attrs.pads, attrs.kernel, op, attrs.stride, 0)
    inside = padded(np.ones_like(x), attrs.pads, attrs.kernel, op, attrs.stride, 0)
    total, count = np.zeros(op.y.shape, np.int64), np.zeros(op.y.shape, np.int64)
    for dy in range(attrs.kernel[0]):
        for dx in range(attrs.kernel[1]):
            total += tap(image, dy, dx, attrs.stride, op.y.shape)
            count += tap(inside, dy, dx, attrs.stride, op.y.shape)
    if not count.all():
        raise GraphError(
            f"AVERAGE_POOL_2D into '{op.y.name}' has windows that lie in the padding", hint="use less padding"
        )
    magnitude = (np.abs(total) + count // 2) // count
    return (clip(np.sign(total) * magnitude, attrs.clamp, op.y),)


def plain_lowest(dtype: DType) -> Any:
    """The lowest value, as what `plain` makes of a tensor."""
    return np.float32(dtype.range[0]) if dtype is DType.FLOAT32 else np.int64(dtype.range[0])


def max_pool_2d(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MAX_POOL_2D over the elements inside the image."""
    attrs = cast(PoolAttrs, op.attrs)
    lowest = plain_lowest(op.x.dtype)
    x = padded(plain(inputs, 0), attrs.pads, attrs.kernel, op, attrs.stride, lowest)
    best = np.full(op.y.shape, lowest)
    for dy in range(attrs.kernel[0]):
        for dx in range(attrs.kernel[1]):
            seen = tap(x, dy, dx, attrs.stride, op.y.shape)
            best = np.where(best < seen, seen, best)
    return (clip(best, attrs.clamp, op.y),)


def read_pool(op: Reading) -> Read:
    """A pool of a file."""
    op.count(1)
    stride = op.window(8, 6, "stride")
    kernel = op.window(12, 10, "kernel")
    return op.ids(0), PoolAttrs(kernel, stride, op.pads(kernel, stride), op.clamp(14))


def write_pool(to: Writing, node: Node) -> OperatorDraft:
    """The same, written."""
    attrs = cast(PoolAttrs, node.attrs)
    x, y = to.graph.tensors[node.inputs[0]], to.graph.tensors[node.outputs[0]]
    fields = {
        "Padding": padding_number(x, y, attrs.kernel, attrs),
        "StrideH": attrs.stride[0],
        "StrideW": attrs.stride[1],
        "FilterHeight": attrs.kernel[0],
        "FilterWidth": attrs.kernel[1],
        "FusedActivationFunction": activation_number(attrs.clamp, y),
    }
    return OperatorDraft(node.op, node.inputs, node.outputs, "Pool2D", fields)


OPERATORS = (
    Operator(
        "AVERAGE_POOL_2D",
        _verify,
        average_pool_2d,
        attrs=PoolAttrs,
        types=_TYPES,
        traits=frozenset({Trait.AVERAGES, Trait.ONE_SCALE}),
        tflite=TfliteForm(1, write_pool, read_pool, options=5),
    ),
    Operator(
        "MAX_POOL_2D",
        _verify,
        max_pool_2d,
        attrs=PoolAttrs,
        types=_TYPES,
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(17, write_pool, read_pool, options=5),
    ),
)
