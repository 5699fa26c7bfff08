"""READ_VARIABLE (no input, one output) and ASSIGN_VARIABLE (one input, no output) of a Graph's states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import OperatorDraft, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View


def _verify(v: View) -> None:
    state = v.attrs(VariableAttrs).state
    v.need(0 <= state < len(v.graph.states), f"refers to state {state}, of {len(v.graph.states)}")
    held, t = v.graph.states[state], v.x() if v.node.inputs else v.y()
    v.need(t.dtype is held.dtype, f"has '{t.name}' of type {t.dtype.value}, the state is {held.dtype.value}")
    v.shape(t, held.initial.shape)


@dataclass(frozen=True)
class VariableAttrs(Attrs):
    """READ_VARIABLE (no input, one output) and ASSIGN_VARIABLE (one input, no output): index into Graph.states."""

    state: int


def _write_read(to: Writing, node: Node) -> OperatorDraft:
    handle = to.handle(cast(VariableAttrs, node.attrs).state)
    return OperatorDraft(node.op, (handle,), node.outputs, "ReadVariable")


def _write_assign(to: Writing, node: Node) -> OperatorDraft:
    handle = to.handle(cast(VariableAttrs, node.attrs).state)
    return OperatorDraft(node.op, (handle, *node.inputs), (), "AssignVariable")


OPERATORS = (
    Operator(
        "READ_VARIABLE",
        _verify,
        None,
        attrs=VariableAttrs,
        inputs=(0, 0),
        traits=frozenset({Trait.READS_STATE}),
        tflite=TfliteForm(143, _write_read, version=1),
    ),
    Operator(
        "ASSIGN_VARIABLE",
        _verify,
        None,
        attrs=VariableAttrs,
        outputs=(0, 0),
        traits=frozenset({Trait.WRITES_STATE}),
        tflite=TfliteForm(144, _write_assign, version=1),
    ),
)
