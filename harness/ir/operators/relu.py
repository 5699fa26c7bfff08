"""RELU and RELU6 as operators of their own."""

from __future__ import annotations

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, array, clip
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.params import relu6_clamp, relu_clamp, requantize_values
from harness.quantization.types import Array

_TRAITS = frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW})


def _verify_relu(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    v.scaled(x, y)
    v.multiplier(x.q.scale / y.q.scale, span(x))


def relu(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU: requantizes, then clamps below at the output's zero point."""
    return (requantize_values(array(inputs, 0), op.x, op.y, relu_clamp(op.y)),)


def _verify_relu6(v: View) -> None:
    _verify_relu(v)
    v.same_quant(v.x(), v.y())


def relu6(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """RELU6: clamps in the input's units and copies."""
    return (clip(array(inputs, 0).astype(np.int64), relu6_clamp(op.x), op.y),)


OPERATORS = (
    Operator("RELU", _verify_relu, relu, traits=_TRAITS, tflite=TfliteForm(19, write_plain, read_plain)),
    Operator("RELU6", _verify_relu6, relu6, traits=_TRAITS, tflite=TfliteForm(21, write_plain, read_plain)),
)
