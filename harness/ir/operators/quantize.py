"""QUANTIZE and DEQUANTIZE: between element types and quantizations."""

from __future__ import annotations

from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import EITHER_ROUNDING, Operator, Types
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization.onnx_rounding import onnx_quantized
from harness.quantization.params import dequantize_values, quantize_values, requantize_values
from harness.quantization.types import Array, DType, Rounding

QUANTIZE_TYPES = tuple(
    Types(x, y)
    for x, y in (
        (DType.FLOAT32, DType.INT8),
        (DType.FLOAT32, DType.INT16),
        (DType.INT8, DType.INT8),
        (DType.INT8, DType.UINT8),
        (DType.INT8, DType.INT16),
        (DType.INT8, DType.INT32),
        (DType.UINT8, DType.INT8),
        (DType.INT16, DType.INT8),
        (DType.INT16, DType.INT16),
        (DType.INT16, DType.INT32),
        (DType.INT32, DType.INT8),
        (DType.INT32, DType.INT16),
    )
)
"""Element types TFLM's QUANTIZE converts between (quantize_common.cc)."""

DEQUANTIZE_TYPES = tuple(Types(x, DType.FLOAT32) for x in (DType.INT8, DType.UINT8, DType.INT16))


def _verify_quantize(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    scale = v.scaled(y)
    if x.dtype is not DType.FLOAT32:
        # Of int32 TFLM wraps what is shifted beyond it.
        v.need(v.node.rounding is Rounding.TFLM, "of integers is rounded as onnx, which only floats are")
        v.multiplier(v.scaled(x) / scale, 1 if x.dtype is DType.INT32 else span(x))


def quantize(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """QUANTIZE: float32 to integers with either rounding, or one integer quantization to another."""
    x = array(inputs, 0)
    if op.x.dtype is DType.FLOAT32:
        return (onnx_quantized(x, op.y) if op.rounding is Rounding.ONNX else quantize_values(x, op.y),)
    return (requantize_values(x, op.x, op.y),)


def _verify_dequantize(v: View) -> None:
    v.shape(v.y(), v.x().shape)
    v.scaled(v.x())


def dequantize(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """DEQUANTIZE: integers to float32."""
    return (dequantize_values(array(inputs, 0), op.x),)


OPERATORS = (
    Operator(
        "QUANTIZE",
        _verify_quantize,
        quantize,
        types=QUANTIZE_TYPES,
        traits=frozenset({Trait.ELEMENTWISE, Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW, Trait.SAME_VALUES}),
        tflite=TfliteForm(114, write_plain, read_plain, version=1),
        roundings=EITHER_ROUNDING,
    ),
    Operator(
        "DEQUANTIZE",
        _verify_dequantize,
        dequantize,
        types=DEQUANTIZE_TYPES,
        traits=frozenset({Trait.ELEMENTWISE, Trait.SAME_VALUES}),
        tflite=TfliteForm(6, write_plain, read_plain),
    ),
)
