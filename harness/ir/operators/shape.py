"""SHAPE: a tensor's shape as numbers, which is known when the model is read."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Node
from harness.ir.operators.operands import Inputs, Operands
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing, read_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_NUMBERS = {DType.INT32: 2, DType.INT64: 4}
"""Types of the output, by their number in the file."""


def _verify(v: View) -> None:
    v.shape(v.y(), (len(v.x().shape),))


def shape(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The input's shape."""
    return (np.array(op.x.shape, op.y.dtype.numpy),)


def _write(to: Writing, node: Node) -> OperatorDraft:
    number = _NUMBERS[to.graph.tensors[node.outputs[0]].dtype]
    return OperatorDraft(node.op, node.inputs, node.outputs, "Shape", {"OutType": number})


OPERATORS = (
    Operator(
        "SHAPE",
        _verify,
        shape,
        types=tuple(Types(x, y) for x in DType for y in _NUMBERS),
        traits=frozenset({Trait.OF_SHAPE}),
        tflite=TfliteForm(77, _write, read_plain, version=1),
    ),
)
