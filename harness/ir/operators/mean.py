"""MEAN over some dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Node
from harness.ir.operators.operands import Inputs, Operands, centred, clip
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import REST, OperatorDraft, Read, Reading, TfliteForm, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, wrap32
from harness.quantization.params import mean_params
from harness.quantization.types import Array


def _verify(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(MeanAttrs)
    rank = len(x.shape)
    axes = attrs.axes
    v.need(bool(axes) and list(axes) == sorted(set(axes)) and 0 <= axes[0] <= axes[-1] < rank, f"has axes {list(axes)}")
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape) if attrs.keep_dims or i not in axes)
    v.shape(y, kept)
    v.scaled(x, y)
    count = prod(x.shape[i] for i in axes)
    v.need(count * span(x) < INT32, f"averages {count} elements, with which sums overflow 32 bits")
    v.multiplier(x.q.scale / y.q.scale, count * span(x))


@dataclass(frozen=True)
class MeanAttrs(Attrs):
    """MEAN over `axes` (sorted, non-negative)."""

    axes: tuple[int, ...]
    keep_dims: bool


def mean(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """MEAN: the sum of x - zero point, times the input scale over (count * output scale)."""
    axes = cast(MeanAttrs, op.attrs).axes
    count = int(np.prod([op.x.shape[a] for a in axes]))
    total: Ints = centred(inputs, 0, op).sum(axis=axes)
    factor = mean_params(op.x, op.y, count)
    scaled = multiply_by_quantized_multiplier(wrap32(total), factor.m, factor.shift) + op.y.q.zero_point
    return (clip(scaled, op.y.dtype.range, op.y),)


def _read(op: Reading) -> Read:
    op.count(2)
    rank = len(op.input(0).shape)
    axes = sorted({op.axis(a, rank) for a in op.constant(1, "axes")})
    return op.ids(0), MeanAttrs(tuple(axes), op.flag(4))


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(MeanAttrs, node.attrs)
    axes = to.constant("axes", attrs.axes)
    return OperatorDraft(node.op, (*node.inputs, axes), node.outputs, "Reducer", {"KeepDims": attrs.keep_dims})


OPERATORS = (
    Operator(
        "MEAN",
        _verify,
        mean,
        attrs=MeanAttrs,
        traits=frozenset({Trait.AVERAGES}),
        tflite=TfliteForm(40, _write, _read, options=27, operands=REST),
    ),
)
