"""BATCH_MATMUL: products of matrices, batches broadcast. Inputs: a [..., rows, depth], b [..., depth, columns]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier, multiply_wide, wrap32
from harness.quantization.params import mul_params
from harness.quantization.types import Array, DType

_MAX_RANK = 5


@dataclass(frozen=True)
class MatmulAttrs(Attrs):
    """BATCH_MATMUL: whether either operand is given with its last two dimensions exchanged."""

    a_transposed: bool
    b_transposed: bool


def sizes(a: Tensor, b: Tensor, attrs: MatmulAttrs) -> tuple[int, int, int, int]:
    """(rows, depth of a, depth of b, columns)."""
    rows, depth = a.shape[-2:][::-1] if attrs.a_transposed else a.shape[-2:]
    other, columns = b.shape[-2:][::-1] if attrs.b_transposed else b.shape[-2:]
    return rows, depth, other, columns


def _verify(v: View) -> None:
    a, b, y, attrs = v.x(), v.x(1), v.y(), v.attrs(MatmulAttrs)
    v.need(min(len(a.shape), len(b.shape)) >= 2, "reads fewer than two dimensions")
    v.need(max(len(a.shape), len(b.shape)) <= _MAX_RANK, f"has more than {_MAX_RANK} dimensions")
    rows, depth, other, columns = sizes(a, b, attrs)
    v.need(depth == other, f"multiplies {list(a.shape)} by {list(b.shape)}")
    try:
        batches = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise v.error(f"cannot broadcast {list(a.shape)} with {list(b.shape)}") from None
    v.shape(y, (*(int(n) for n in batches), rows, columns))
    if y.dtype is not DType.FLOAT32:
        v.scaled(a, b, y)
        bound = depth * span(a) * span(b)
        if y.dtype is DType.INT16:
            _verify_wide(v, depth)
            return
        v.need(bound < INT32, f"sums {depth} products, with which sums overflow 32 bits")
        v.multiplier(a.q.scale * b.q.scale / y.q.scale, bound)


def _verify_wide(v: View, depth: int) -> None:
    """Checks sums of int16, which have 64 bits, of which TFLM multiplies 48 by 15 bits."""
    a, b, y = v.x(), v.x(1), v.y()
    v.need(not any(t.q.zero_point for t in (a, b, y)), "has int16 with a zero point, which TFLM refuses")
    real = a.q.scale * b.q.scale / y.q.scale
    v.need(depth < 1 << 17 and real < 128 and (depth << 30) * real < INT32, f"has the multiplier {real:g}")


def _summed(a: Any, b: Any, attrs: MatmulAttrs) -> Any:
    """Sums along the depth, in its order."""
    a = np.swapaxes(a, -1, -2) if attrs.a_transposed else a
    b = np.swapaxes(b, -1, -2) if attrs.b_transposed else b
    total = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]), a.dtype)
    for k in range(a.shape[-1]):
        total += a[..., :, k, None] * b[..., k, None, :]
    return total


def batch_matmul(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """BATCH_MATMUL. Source: reference/batch_matmul.h."""
    attrs = cast(MatmulAttrs, op.attrs)
    if op.y.dtype is DType.FLOAT32:
        return (_summed(array(inputs, 0), array(inputs, 1), attrs),)
    factor = mul_params(op.x, op.input(1), op.y)
    if op.y.dtype is DType.INT16:
        sums = _summed(centred(inputs, 0, op), centred(inputs, 1, op), attrs)
        return (clip(multiply_wide(sums, factor.m, factor.shift), op.y.dtype.range, op.y),)
    total = wrap32(_summed(centred(inputs, 0, op), centred(inputs, 1, op), attrs))
    scaled = multiply_by_quantized_multiplier(total, factor.m, factor.shift)
    return (clip(scaled + op.y.q.zero_point, op.y.dtype.range, op.y),)


def _read(op: Reading) -> Read:
    op.count(2)
    return op.ids(0, 1), MatmulAttrs(op.flag(4), op.flag(6))


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(MatmulAttrs, node.attrs)
    fields = {"AdjX": attrs.a_transposed, "AdjY": attrs.b_transposed}
    return OperatorDraft(node.op, node.inputs, node.outputs, "BatchMatMul", fields)


def _macs(graph: Graph, node: Node) -> int:
    a, b = (graph.tensors[t] for t in node.inputs)
    return graph.tensors[node.outputs[0]].elements * sizes(a, b, cast(MatmulAttrs, node.attrs))[1]


OPERATORS = (
    Operator(
        "BATCH_MATMUL",
        _verify,
        batch_matmul,
        attrs=MatmulAttrs,
        inputs=(2, 2),
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        tflite=TfliteForm(126, _write, _read, options=101),
        macs=_macs,
    ),
)
