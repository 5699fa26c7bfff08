"""MEAN over some dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.operators.operands import Inputs, Operands, centred, clip, floats
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.reduce import (
    ReduceAttrs,
    read_reduction,
    rows,
    sum_in_order,
    verify_axes,
    write_reduction,
)
from harness.ir.operators.tflite import REST, Read, Reading, TfliteForm
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, wrap32
from harness.quantization.params import mean_params
from harness.quantization.types import Array, DType


@dataclass(frozen=True)
class MeanAttrs(ReduceAttrs):
    """MEAN over `axes` (sorted, non-negative)."""


def _verify(v: View) -> None:
    x, y = v.x(), v.y()
    count = verify_axes(v)
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, y)
    v.need(count * span(x) < INT32, f"averages {count} elements, with which sums overflow 32 bits")
    v.multiplier(x.q.scale / y.q.scale, count * span(x))


def mean(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MEAN: the sum of x - zero point, times the input scale over (count * output scale); of floats the plain mean."""
    axes = cast(MeanAttrs, op.attrs).axes
    count = int(np.prod([op.x.shape[a] for a in axes]))
    if op.y.dtype is DType.FLOAT32:
        return ((sum_in_order(rows(floats(inputs, 0), op.x, axes)) / np.float32(count)).reshape(op.y.shape),)
    total: Ints = centred(inputs, 0, op).sum(axis=axes)
    factor = mean_params(op.x, op.y, count)
    scaled = multiply_by_quantized_multiplier(wrap32(total), factor.m, factor.shift) + op.y.q.zero_point
    return (clip(scaled, op.y.dtype.range, op.y),)


def _read(op: Reading) -> Read:
    inputs, axes, keep = read_reduction(op)
    return inputs, MeanAttrs(axes, keep)


OPERATORS = (
    Operator(
        "MEAN",
        _verify,
        mean,
        attrs=MeanAttrs,
        types=same(DType.INT8, DType.INT16, DType.FLOAT32),
        traits=frozenset({Trait.AVERAGES}),
        tflite=TfliteForm(40, write_reduction, _read, options=27, operands=REST),
    ),
)
