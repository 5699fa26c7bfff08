"""SVDF: filters over the last inputs, each the product of a vector over features and one over time.

Inputs: x [batch, in], weights [filters, in], time weights [filters, memory], bias [units] or absent; state [batch,
filters * memory]. A unit sums the filters of its rank.

Source: tensorflow/lite/micro/kernels/svdf_common.cc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.ir.graph import ABSENT, Attrs, Graph, Node
from harness.ir.operators.operands import Inputs, Operands, array, centred, clip
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.tflite import (
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    activation_number,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View, span
from harness.quantization.fixedpoint import multiply_by_quantized_multiplier, wrap32
from harness.quantization.params import svdf_params
from harness.quantization.types import Array, Clamp, DType

Floats: TypeAlias = npt.NDArray[np.float32]

WEIGHTS, TIME, BIAS = 1, 2, 3
"""Positions of inputs."""

_BIASED = ((BIAS, DType.INT32),)
_TYPES = (
    Types(DType.INT8, DType.INT8, apart=((TIME, DType.INT16), *_BIASED), states=(DType.INT16,)),
    Types(DType.INT8, DType.INT8, apart=_BIASED, states=(DType.INT8,)),
    Types(DType.FLOAT32, DType.FLOAT32, states=(DType.FLOAT32,)),
)


@dataclass(frozen=True)
class SvdfAttrs(Attrs):
    """Filters a unit, and the clamp of the output."""

    rank: int
    clamp: Clamp


def _verify(v: View) -> None:
    x, w, time, y, attrs = v.x(), v.x(WEIGHTS), v.x(TIME), v.y(), v.attrs(SvdfAttrs)
    for t in (x, w, time, y):
        v.need(len(t.shape) == 2, f"has '{t.name}' of shape {list(t.shape)}, not of two dimensions")
    batch, filters, memory = x.shape[0], w.shape[0], time.shape[1]
    v.need(attrs.rank >= 1 and filters % attrs.rank == 0, f"has {filters} filters of rank {attrs.rank}")
    units = filters // attrs.rank
    v.shape(w, (filters, x.shape[1]))
    v.shape(time, (filters, memory))
    v.shape(y, (batch, units))
    held = v.state().initial.shape
    v.need(held == (batch, filters * memory), f"has a state of shape {list(held)}, not {[batch, filters * memory]}")
    constants = [t for t in v.node.inputs[1:] if t != ABSENT]
    v.need(all(v.graph.tensors[t].data is not None for t in constants), "has weights computed at run time")
    if len(v.node.inputs) > BIAS and v.node.inputs[BIAS] != ABSENT:
        v.shape(v.x(BIAS), (units,))
    v.clamp(attrs.clamp)
    if x.dtype is DType.INT8:
        _verify_quantized(v)


def _verify_quantized(v: View) -> None:
    """Of the sums over inputs TFLM needs all bits; those over time may wrap, as they do there."""
    x, w, time, y, state = v.x(), v.x(WEIGHTS), v.x(TIME), v.y(), v.state()
    v.scaled(x, w, time, y)
    v.need(state.quant is not None and len(state.quant.scales) == 1, f"has state '{state.name}' without a scale")
    assert state.quant is not None
    v.need(state.quant.scale > 0, f"has state '{state.name}' of scale {state.quant.scale}")
    for t in (w, time):
        v.need(t.q.zero_point == 0, f"has '{t.name}' with a zero point other than 0, which TFLM ignores here")
    bound = int((span(x) + 1) * np.abs(np.asarray(w.data).astype(np.int64)).sum(axis=1).max())
    v.need(bound < INT32, "has weights with which sums overflow 32 bits")
    for factor, most in zip(svdf_params(x, w, time, y, state.quant), (bound, 1), strict=True):
        v.need(factor.shift <= 30 and most << max(factor.shift, 0) < INT32, f"has scales that shift by {factor.shift}")


def svdf(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SVDF, and its state: every filter's row one step on, its newest value last."""
    if op.x.dtype is DType.FLOAT32:
        return _float(inputs, op)
    quant = op.states[0].quant
    assert quant is not None
    features, output = svdf_params(op.x, op.input(WEIGHTS), op.input(TIME), op.y, quant)
    weights, time = array(inputs, WEIGHTS).astype(np.int64), array(inputs, TIME).astype(np.int64)
    dots = wrap32(centred(inputs, 0, op) @ weights.T)
    low, high = op.states[0].dtype.range
    newest = np.clip(multiply_by_quantized_multiplier(dots, features.m, features.shift), low, high) + quant.zero_point
    state = _moved(op, newest)  # an int8 state wraps here, as in TFLM
    sums = ((state.astype(np.int64) - quant.zero_point) * time).sum(axis=2)
    units = sums.reshape(len(sums), op.y.shape[1], -1).sum(axis=2)
    bias = inputs[BIAS] if len(inputs) > BIAS else None
    total = wrap32(units + (0 if bias is None else bias.astype(np.int64)))
    scaled = multiply_by_quantized_multiplier(total, output.m, output.shift) + op.y.q.zero_point
    return clip(scaled, cast(SvdfAttrs, op.attrs).clamp, op.y), state.reshape(op.held[0].shape)


def _moved(op: Operands, newest: Array) -> Array:
    """The state [batch, filters, memory] after a step."""
    before = op.held[0].reshape(*newest.shape, -1)
    added = newest.astype(before.dtype)[..., np.newaxis]
    moved: Array = np.concatenate([before[..., 1:], added], axis=2)
    return moved


def _float(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """float32: every sum in TFLM's order."""
    x, weights, time = (array(inputs, i).astype(np.float32) for i in (0, WEIGHTS, TIME))
    state = _moved(op, _summed(x[:, np.newaxis, :] * weights))
    filters = _summed(time * state.astype(np.float32)).reshape(op.y.shape[0], op.y.shape[1], -1)
    bias = inputs[BIAS] if len(inputs) > BIAS else None
    start = np.broadcast_to(np.zeros(1, np.float32) if bias is None else bias.astype(np.float32), op.y.shape)
    sums = _summed(np.concatenate([start[..., np.newaxis], filters], axis=2))
    low, high = cast(SvdfAttrs, op.attrs).clamp
    if high != op.y.dtype.range[1]:  # the upper end first, and what is no number becomes an end, as in TFLM
        sums = np.where(sums < np.float32(high), sums, np.float32(high))
    if low != op.y.dtype.range[0]:
        sums = np.where(sums > np.float32(low), sums, np.float32(low))
    return sums, state.reshape(op.held[0].shape)


def _summed(products: Floats) -> Floats:
    """Sums of float32 along the last dimension, one after the other."""
    total: Floats = np.zeros(products.shape[:-1], np.float32)
    for i in range(products.shape[-1]):
        total = total + products[..., i]
    return total


def _read(op: Reading) -> Read:
    op.count(5)
    bias = op.inputs[BIAS]
    for what, t in (("weights", op.inputs[WEIGHTS]), ("time weights", op.inputs[TIME]), ("bias", bias)):
        if t != ABSENT and not op.has_data(t):
            raise Unsupported(f"{what} computed at run time")
    y = op.output()
    # TFLM ignores the activation of int8, and clamps to int8 alone.
    clamp = y.dtype.range if y.dtype is DType.INT8 else op.clamp(6)
    return (*op.ids(0, WEIGHTS, TIME), bias), SvdfAttrs(op.integer(4), clamp)


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs, y = cast(SvdfAttrs, node.attrs), to.graph.tensors[node.outputs[0]]
    activation = 1 if y.dtype is DType.INT8 else activation_number(attrs.clamp, y)
    inputs = (*node.inputs, *[ABSENT] * (4 - len(node.inputs)), to.variable(node.states[0]))
    fields = {"Rank": attrs.rank, "FusedActivationFunction": activation}
    return OperatorDraft(node.op, inputs, node.outputs, "SVDF", fields)


def _macs(graph: Graph, node: Node) -> int:
    x, w, time = (graph.tensors[t] for t in node.inputs[:3])
    return x.shape[0] * (w.elements + time.elements)


OPERATORS = (
    Operator(
        "SVDF",
        _verify,
        svdf,
        attrs=SvdfAttrs,
        inputs=(3, 4),
        optional=frozenset({BIAS}),
        states=1,
        types=_TYPES,
        traits=frozenset({Trait.READS_STATE, Trait.WRITES_STATE}),
        tflite=TfliteForm(27, _write, _read, options=6, version=3, states=range(4, 5)),
        macs=_macs,
    ),
)
