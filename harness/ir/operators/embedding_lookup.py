"""EMBEDDING_LOOKUP: rows of a table by their numbers. Inputs: the table, and the numbers."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.params import dequantize_values
from harness.quantization.types import Array, DType

_NUMBERS = ((1, DType.INT32),)
HYBRID = Types(DType.INT8, DType.FLOAT32, apart=_NUMBERS)
"""An int8 table, of which the rows that are looked up become float32."""


def _verify(v: View) -> None:
    table, numbers, y = v.x(), v.x(1), v.y()
    v.need(len(table.shape) >= 2, f"has a table of {len(table.shape)} dimensions, not two or more")
    v.need(len(numbers.shape) == 1, f"has numbers of {len(numbers.shape)} dimensions, not one")
    v.shape(y, numbers.shape + table.shape[1:])
    if numbers.data is not None:
        found = np.asarray(numbers.data, np.int64)
        inside = (found >= 0) & (found < table.shape[0])
        v.need(bool(inside.all()), f"looks up rows outside its table of {table.shape[0]}")
    if table.dtype is y.dtype:
        v.moved(table, y)
    else:
        v.scaled(table)
        v.need(table.q.zero_point == 0, f"has a table of zero point {table.q.zero_point}; TFLM takes 0 alone")


def embedding_lookup(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The rows; a number beyond the table is its end, where TFLM gives the inference up."""
    table, numbers = array(inputs, 0), array(inputs, 1)
    rows = table[np.clip(numbers, 0, len(table) - 1)]
    return (rows if op.x.dtype is op.y.dtype else dequantize_values(rows, op.x),)


def _read(op: Reading) -> Read:
    op.count(2)
    return op.ids(1, 0), NoAttrs()


def _write(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs[::-1], node.outputs)


OPERATORS = (
    Operator(
        "EMBEDDING_LOOKUP",
        _verify,
        embedding_lookup,
        inputs=(2, 2),
        types=(*(Types(x, x, apart=_NUMBERS) for x in (DType.FLOAT32, DType.INT8)), HYBRID),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(7, _write, _read, version=1, data=(1, 0)),
    ),
)
