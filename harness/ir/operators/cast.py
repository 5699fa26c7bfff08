"""CAST: numbers of one element type as those of another, whatever their scales."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing, read_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_TYPES = (DType.INT8, DType.INT16, DType.INT32, DType.UINT32, DType.BOOL, DType.FLOAT32)


def _verify(v: View) -> None:
    v.shape(v.y(), v.x().shape)


def convert(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """As C converts: integers modulo the width, floats towards zero.

    Floats beyond an integer's range are undefined in C, and in TFLM; here they are the type's ends, NaN is 0.
    """
    x = array(inputs, 0)
    if x.dtype != np.float32 or op.y.dtype is DType.FLOAT32:
        return (x.astype(op.y.dtype.numpy),)
    if op.y.dtype is DType.BOOL:
        return (x != 0,)
    low, high = op.y.dtype.range
    whole = np.trunc(np.nan_to_num(x.astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30))
    inside = np.clip(whole, float(low), float(high))
    # The ends of int64 are no floats: what rounds to one beyond is set.
    return (np.where(whole >= float(high), high, inside.astype(np.int64, copy=False)).astype(op.y.dtype.numpy),)


def _write(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs)


OPERATORS = (
    Operator(
        "CAST",
        _verify,
        convert,
        types=tuple(Types(x, y) for x in _TYPES for y in _TYPES),
        traits=frozenset({Trait.ELEMENTWISE}),
        tflite=TfliteForm(53, _write, read_plain, version=1),
    ),
)
