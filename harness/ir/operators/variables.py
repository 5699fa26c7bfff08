"""READ_VARIABLE (no input, one output) and ASSIGN_VARIABLE (one input, no output) of a Graph's state."""

from __future__ import annotations

from harness.ir.graph import Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

VARIABLE_TYPES = tuple(Types(dtype, dtype, states=(dtype,)) for dtype in DType)
"""Bytes are only copied."""


def _verify(v: View) -> None:
    v.shape(v.x() if v.node.inputs else v.y(), v.state().initial.shape)


def read(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """READ_VARIABLE: the variable's value."""
    return (op.held[0].reshape(op.y.shape),)


def assign(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """ASSIGN_VARIABLE: the variable's new value."""
    return (array(inputs, 0).reshape(op.states[0].initial.shape),)


def _write_read(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, (to.handle(node.states[0]),), node.outputs, "ReadVariable")


def _write_assign(to: Writing, node: Node) -> OperatorDraft:
    return OperatorDraft(node.op, (to.handle(node.states[0]), *node.inputs), (), "AssignVariable")


OPERATORS = (
    Operator(
        "READ_VARIABLE",
        _verify,
        read,
        inputs=(0, 0),
        states=1,
        types=VARIABLE_TYPES,
        traits=frozenset({Trait.READS_STATE, Trait.COPIES_STATE}),
        tflite=TfliteForm(143, _write_read, version=1),
    ),
    Operator(
        "ASSIGN_VARIABLE",
        _verify,
        assign,
        outputs=(0, 0),
        states=1,
        types=VARIABLE_TYPES,
        traits=frozenset({Trait.WRITES_STATE, Trait.COPIES_STATE}),
        tflite=TfliteForm(144, _write_assign, version=1),
    ),
)
