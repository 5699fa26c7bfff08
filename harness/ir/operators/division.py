"""DIV, FLOOR_DIV, FLOOR_MOD and SQUARED_DIFFERENCE, with numpy's broadcasting. Inputs: a, b."""

from __future__ import annotations

from typing import cast

import numpy as np

from harness.ir.graph import Node
from harness.ir.operators.binary import BinaryAttrs, verify_broadcast
from harness.ir.operators.extremes import read_two
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip, floats, plain
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import (
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Writing,
    activation_number,
    write_plain,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier
from harness.quantization.params import squared_difference_params
from harness.quantization.types import Array, DType

_FLOAT = same(DType.FLOAT32)
_SCALED = (DType.INT8, DType.INT16)


def _verify_div(v: View) -> None:
    verify_broadcast(v, 5)
    v.clamp(v.attrs(BinaryAttrs).clamp)


def divide(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DIV: the quotient of floats; of int32 cut towards zero, and 0 where the divisor is 0, where TFLM stops."""
    clamp = cast(BinaryAttrs, op.attrs).clamp
    if op.y.dtype is DType.INT32:
        a, b = plain(inputs, 0), plain(inputs, 1)
        quotient = np.abs(a) // np.where(b == 0, 1, np.abs(b)) * np.sign(a) * np.sign(b)
        return (clip(quotient, clamp, op.y),)
    with np.errstate(all="ignore"):
        return (clip(floats(inputs, 0) / floats(inputs, 1), clamp, op.y),)


def _read_div(op: Reading) -> Read:
    op.count(2)
    return op.ids(0, 1), BinaryAttrs(op.clamp(4))


def _write_div(to: Writing, node: Node) -> OperatorDraft:
    activation = activation_number(cast(BinaryAttrs, node.attrs).clamp, to.graph.tensors[node.outputs[0]])
    return OperatorDraft(node.op, node.inputs, node.outputs, "Div", {"FusedActivationFunction": activation})


def _verify_plain(v: View) -> None:
    verify_broadcast(v, 4)


def floor_div(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The quotient rounded down, divided in double (TFLM, floor_div.cc). TFLM stops where a divisor is 0."""
    with np.errstate(all="ignore"):
        a, b = (array(inputs, i).astype(np.float64) for i in range(2))
        return (np.floor(a / b).astype(np.float32),)


def floor_mod(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The rest of C's fmod, plus the divisor where their signs differ."""
    a, b = floats(inputs, 0), floats(inputs, 1)
    with np.errstate(all="ignore"):
        rest = np.fmod(a, b)
        return (np.where((rest != 0) & ((b < 0) != (rest < 0)), rest + b, rest),)


def _verify_squared(v: View) -> None:
    verify_broadcast(v, 4)
    if v.y().dtype in _SCALED:
        a, b, y = v.x(), v.x(1), v.y()
        v.scaled(a, b, y)
        widest = 2 * max(a.q.scale, b.q.scale)
        bits = 14 if y.dtype is DType.INT8 else 0
        v.need(y.dtype is DType.INT8 or not any(t.q.zero_point for t in (a, b, y)), "has int16 with a zero point")
        v.multiplier(widest * widest / ((1 << bits) * y.q.scale), 1)
        v.need(span(a) > 0, "has no range")


def squared_difference(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SQUARED_DIFFERENCE: (a - b) squared; int8 with seven more bits, int16 with none (TFLM, squared_difference.cc)."""
    if op.y.dtype not in _SCALED:
        difference = plain(inputs, 0) - plain(inputs, 1)
        square = difference * difference
        return (square if op.y.dtype is DType.FLOAT32 else clip(square, op.y.dtype.range, op.y),)
    p = squared_difference_params(op.x, op.input(1), op.y)
    a = multiply_by_quantized_multiplier(centred(inputs, 0, op) << p.left_shift, p.a.m, p.a.shift)
    b = multiply_by_quantized_multiplier(centred(inputs, 1, op) << p.left_shift, p.b.m, p.b.shift)
    square = multiply_by_quantized_multiplier((a - b) * (a - b), p.y.m, p.y.shift)
    return (clip(square + op.y.q.zero_point, op.y.dtype.range, op.y),)


OPERATORS = (
    Operator(
        "DIV",
        _verify_div,
        divide,
        attrs=BinaryAttrs,
        inputs=(2, 2),
        types=same(DType.FLOAT32, DType.INT32),
        traits=frozenset({Trait.PAIRWISE}),
        tflite=TfliteForm(42, _write_div, _read_div, options=29),
    ),
    Operator(
        "FLOOR_DIV",
        _verify_plain,
        floor_div,
        inputs=(2, 2),
        types=_FLOAT,
        tflite=TfliteForm(90, write_plain, read_two),
    ),
    Operator(
        "FLOOR_MOD",
        _verify_plain,
        floor_mod,
        inputs=(2, 2),
        types=_FLOAT,
        tflite=TfliteForm(95, write_plain, read_two, version=1),
    ),
    Operator(
        "SQUARED_DIFFERENCE",
        _verify_squared,
        squared_difference,
        inputs=(2, 2),
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32),
        tflite=TfliteForm(99, write_plain, read_two),
    ),
)
