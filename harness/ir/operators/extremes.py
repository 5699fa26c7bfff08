"""MAXIMUM and MINIMUM, with numpy's broadcasting: of the numbers as they are. Inputs: a, b."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs, Node
from harness.ir.operators.binary import verify_broadcast
from harness.ir.operators.operands import Inputs, Operands, plain
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_TRAITS = frozenset({Trait.AS_THEY_ARE, Trait.PAIRWISE})
_TYPES = same(DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)


def _verify(v: View) -> None:
    verify_broadcast(v, 5)
    v.moved(v.x(), v.x(1), v.y())


def maximum(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The larger of both; of -0 and 0, and where one is no number, as C's a > b ? a : b."""
    a, b = plain(inputs, 0), plain(inputs, 1)
    return (np.where(a > b, a, b).astype(op.y.dtype.numpy),)


def minimum(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The smaller of both, as C's a < b ? a : b."""
    a, b = plain(inputs, 0), plain(inputs, 1)
    return (np.where(a < b, a, b).astype(op.y.dtype.numpy),)


def read_two(op: Reading) -> Read:
    """Two inputs and no attributes."""
    op.count(2)
    return op.ids(0, 1), NoAttrs()


def _write(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, node.inputs, node.outputs, "MaximumMinimum")


OPERATORS = (
    Operator(
        "MAXIMUM",
        _verify,
        maximum,
        inputs=(2, 2),
        types=_TYPES,
        traits=_TRAITS,
        tflite=TfliteForm(55, _write, read_two),
    ),
    Operator(
        "MINIMUM",
        _verify,
        minimum,
        inputs=(2, 2),
        types=_TYPES,
        traits=_TRAITS,
        tflite=TfliteForm(57, _write, read_two),
    ),
)
