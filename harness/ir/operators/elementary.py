"""Functions of one float32: ABS, NEG, SQUARE, SQRT, RSQRT, EXP, LOG, SIN, COS, FLOOR, CEIL, ROUND, ELU; some of int8.

Those that TFLM calls the C library for (EXP, LOG, SIN, COS, ELU of floats) depend on it in their last bit; here they
are those of harness/quantization/elementary.py. int8 and int16 are what TFLM computes, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from harness.ir.operators.operands import Floats, Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import TfliteForm, read_plain, write_plain
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View, span
from harness.quantization import elementary
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, round_half_away
from harness.quantization.inverse_root import inverse_root
from harness.quantization.params import abs_params, rsqrt_params
from harness.quantization.types import Array, DType

Function: TypeAlias = Callable[[Floats], Floats]


def _elu(x: Floats) -> Floats:
    return np.where(x < 0, elementary.expm1(x), x)


def _elu_in_double(x: Floats) -> Floats:
    """What tables of int8 are made of."""
    with np.errstate(all="ignore"):
        return np.where(x < 0, np.expm1(x.astype(np.float64)).astype(np.float32), x)


def _rsqrt(x: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return (np.float32(1) / np.sqrt(x)).astype(np.float32)


def _square(x: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return x * x


def _sqrt(x: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.sqrt(x)


def _round(x: Floats) -> Floats:
    """To the nearest, ties to even, made of the number below as in TFLM (round.cc): what rounds up to 0 is +0."""
    below = np.floor(x)
    rest = x - below
    return np.where((rest < 0.5) | ((rest == 0.5) & (np.fmod(below, 2) == 0)), below, below + np.float32(1))


FUNCTIONS: dict[str, Function] = {
    "ABS": np.abs,
    "NEG": np.negative,
    "SQUARE": _square,
    "SQRT": _sqrt,
    "RSQRT": _rsqrt,
    "EXP": elementary.exp,
    "LOG": elementary.log,
    "SIN": elementary.sin,
    "COS": elementary.cos,
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "ROUND": _round,
    "ELU": _elu,
}
"""Operator -> its function of float32."""


def _verify(v: View) -> None:
    x, y = v.x(), v.y()
    v.shape(y, x.shape)
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    if v.node.op == "RSQRT":
        factor = rsqrt_params(x, y)
        v.need(
            factor.shift <= ROOT_BITS, f"has scales {x.q.scale:g} and {y.q.scale:g}, with which its integers overflow"
        )
        v.need(y.dtype is DType.INT8 or not (x.q.zero_point or y.q.zero_point), "has int16 with a zero point")
    if v.node.op == "ABS":
        v.multiplier(x.q.scale / y.q.scale, span(x))


def _abs_of_integers(inputs: Inputs, op: Operands) -> Array:
    """Source: TFLM elementwise.cc, AbsEvalQuantized."""
    values = np.abs(centred(inputs, 0, op))
    factor = abs_params(op.x, op.y)
    if factor is not None:
        values = multiply_by_quantized_multiplier(values, factor.m, factor.shift)
    return clip(values + op.y.q.zero_point, op.y.dtype.range, op.y)


def _by_table(function: Function) -> Callable[[Inputs, Operands], Array]:
    """An int8 function as TFLM looks it up: the float of each value, and back, rounded half away from zero."""

    def compute(inputs: Inputs, op: Operands) -> Array:
        x = np.float32(op.x.q.scale) * centred(inputs, 0, op).astype(np.float32)
        inverse = np.float32(1) / np.float32(op.y.q.scale)
        scaled = (function(x) * inverse).astype(np.float64)
        rounded: Ints = np.array([round_half_away(float(v)) for v in scaled.reshape(-1)], np.int64)
        return clip(rounded.reshape(scaled.shape) + op.y.q.zero_point, op.y.dtype.range, op.y)

    return compute


def _rsqrt_of_integers(inputs: Inputs, op: Operands) -> Array:
    """Source: TFLM elementwise.cc, RsqrtEvalQuantized, which fails below the zero point; here that is as at it."""
    values, factor = np.maximum(centred(inputs, 0, op), 0), rsqrt_params(op.x, op.y)
    root, shift = inverse_root(values)
    wide = multiply_by_quantized_multiplier(np.ones_like(values), root, shift + ROOT_BITS)
    made = multiply_by_quantized_multiplier(wide, factor.m, factor.shift - ROOT_BITS) + op.y.q.zero_point
    return clip(np.where(values == 0, op.y.dtype.range[1], made), op.y.dtype.range, op.y)


ROOT_BITS = 20
"""Bits behind the point of the root that TFLM takes for RSQRT of integers."""

_INTEGERS: dict[str, Callable[[Inputs, Operands], Array]] = {
    "ABS": _abs_of_integers,
    "ELU": _by_table(_elu_in_double),
    "RSQRT": _rsqrt_of_integers,
}


def _compute(name: str) -> Callable[[Inputs, Operands], tuple[Array, ...]]:
    function = FUNCTIONS[name]

    def compute(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
        if op.y.dtype is DType.FLOAT32:
            return (function(floats(inputs, 0)),)
        return (_INTEGERS[name](inputs, op),)

    return compute


_TYPES: dict[str, tuple[Types, ...]] = {
    "ABS": same(DType.FLOAT32, DType.INT8, DType.INT16),
    "ELU": same(DType.FLOAT32, DType.INT8),
    "RSQRT": same(DType.FLOAT32, DType.INT8, DType.INT16),
}
_TRAITS = frozenset({Trait.ELEMENTWISE})
_ULP = {"EXP": 1, "LOG": 1, "SIN": 2, "COS": 2, "ELU": 3}
"""Distance from TFLM's host library in the last place, as measured (tests/quantization/host/test_elementary.py)."""

_CODES = {
    **{"ABS": 101, "NEG": 59, "SQUARE": 92, "SQRT": 75, "RSQRT": 76, "EXP": 47, "LOG": 73, "SIN": 66, "COS": 108},
    **{"FLOOR": 8, "CEIL": 104, "ROUND": 116, "ELU": 111},
}

OPERATORS = tuple(
    Operator(
        name,
        _verify,
        _compute(name),
        types=_TYPES.get(name, same(DType.FLOAT32)),
        traits=_TRAITS | ({Trait.BYTE_FUNCTION, Trait.ROW_BY_ROW} if name in _INTEGERS else frozenset()),
        tflite=TfliteForm(code, write_plain, read_plain, version=1),
        ulp=_ULP.get(name, 0),
    )
    for name, code in _CODES.items()
)
