"""LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT and SELECT_V2, with numpy's broadcasting."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import NoAttrs
from harness.ir.operators.binary import verify_broadcast
from harness.ir.operators.extremes import read_two
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import Read, Reading, TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_BOOL = same(DType.BOOL)
_CONDITION = ((0, DType.BOOL),)
_SELECTED = (DType.FLOAT32, DType.INT8, DType.INT16)


def _verify_two(v: View) -> None:
    verify_broadcast(v, 4)


def logical_and(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Both."""
    return (np.logical_and(array(inputs, 0), array(inputs, 1)),)


def logical_or(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """Either."""
    return (np.logical_or(array(inputs, 0), array(inputs, 1)),)


def _verify_not(v: View) -> None:
    v.shape(v.y(), v.x().shape)


def logical_not(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The opposite."""
    return (np.logical_not(array(inputs, 0)),)


def _verify_select(v: View) -> None:
    shapes = [v.x(i).shape for i in range(3)]
    v.need(max(map(len, shapes)) <= 5, "has more than 5 dimensions")
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise v.error(f"cannot broadcast {', '.join(map(str, map(list, shapes)))}") from None
    v.shape(v.y(), tuple(int(n) for n in shape))
    v.moved(v.x(1), v.x(2), v.y())


def select(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The second input where the first is true, else the third."""
    return (np.where(array(inputs, 0), array(inputs, 1), array(inputs, 2)),)


def _read_select(op: Reading) -> Read:
    op.count(3)
    return op.ids(0, 1, 2), NoAttrs()


OPERATORS = (
    Operator(
        "LOGICAL_AND",
        _verify_two,
        logical_and,
        inputs=(2, 2),
        types=_BOOL,
        tflite=TfliteForm(86, write_plain, read_two, version=1),
    ),
    Operator(
        "LOGICAL_OR",
        _verify_two,
        logical_or,
        inputs=(2, 2),
        types=_BOOL,
        tflite=TfliteForm(84, write_plain, read_two, version=1),
    ),
    Operator(
        "LOGICAL_NOT",
        _verify_not,
        logical_not,
        types=_BOOL,
        traits=frozenset({Trait.ELEMENTWISE}),
        tflite=TfliteForm(87, write_plain, read_plain, version=1),
    ),
    Operator(
        "SELECT_V2",
        _verify_select,
        select,
        inputs=(3, 3),
        types=tuple(Types(x, x, apart=_CONDITION) for x in _SELECTED),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(123, write_plain, _read_select, version=1),
    ),
)
