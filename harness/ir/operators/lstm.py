"""UNIDIRECTIONAL_SEQUENCE_LSTM: without peepholes, projection and layer normalization, as TFLM has it.

Inputs: x [batch, time, in] (or time before batch), weights of the input, forget, cell and output gate [units, in],
recurrent weights of the same [units, units], their biases [units]. States: hidden [batch, units], cell [batch, units].

Source: tensorflow/lite/micro/kernels/lstm_eval.h and lstm_eval_common.cc.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import cast

import numpy as np

from harness.ir.graph import ABSENT, Attrs, Graph, Node
from harness.ir.operators.operands import Floats, Inputs, Operands, array, centred, floats
from harness.ir.operators.operator import Operator, Types
from harness.ir.operators.reduce import sum_in_order
from harness.ir.operators.tflite import ACTIVATIONS, OperatorDraft, Read, Reading, TfliteForm, Unsupported, Writing
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import INT32, View, span
from harness.quantization import elementary
from harness.quantization.fixedpoint import Ints, multiply_by_quantized_multiplier, multiply_wide
from harness.quantization.lstm import lstm_params
from harness.quantization.params import Multiplier
from harness.quantization.sigmoid16 import sigmoid16, tanh16
from harness.quantization.types import Array, DType

GATES = ("input", "forget", "cell", "output")
WEIGHTS, RECURRENT, BIASES = 1, 5, 9
"""Position of the first gate's weights, recurrent weights and bias."""

HIDDEN, CELL = 0, 1
"""The states."""

_INPUTS = 24
_DATA = (*range(9), *range(12, 16))
_WITHOUT = ("peephole weights", "a projection", "layer normalization")
_GATES = range(4)
_BIASED = tuple((BIASES + i, DType.INT32) for i in _GATES)
_WIDE = (
    *((i, DType.INT8) for i in range(WEIGHTS, BIASES)),
    *((BIASES + i, DType.INT64) for i in _GATES),
)
_TYPES = (
    Types(DType.INT8, DType.INT8, apart=_BIASED, states=(DType.INT8, DType.INT16)),
    Types(DType.INT16, DType.INT16, apart=_WIDE, states=(DType.INT16, DType.INT16)),
    Types(DType.FLOAT32, DType.FLOAT32, states=(DType.FLOAT32, DType.FLOAT32)),
)
_INT16 = (-(1 << 15), (1 << 15) - 1)


@dataclass(frozen=True)
class LstmAttrs(Attrs):
    """`clip` bounds the cell state's magnitude, in its own units, 0: not; `time_major`: time before batch."""

    clip: float
    time_major: bool


def lstm_sizes(shape: tuple[int, ...], attrs: LstmAttrs) -> tuple[int, int, int]:
    """(batch, time, in) of x."""
    first, second, depth = shape
    return (second, first, depth) if attrs.time_major else (first, second, depth)


def _verify(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(LstmAttrs)
    v.need(len(x.shape) == 3, f"reads shape {list(x.shape)}, not of three dimensions")
    batch, _, depth = lstm_sizes(x.shape, attrs)
    units = y.shape[-1] if y.shape else 0
    v.shape(y, (*x.shape[:2], units))
    for i in _GATES:
        v.shape(v.x(WEIGHTS + i), (units, depth))
        v.shape(v.x(RECURRENT + i), (units, units))
        v.shape(v.x(BIASES + i), (units,))
    for i in range(1, len(v.node.inputs)):
        v.need(v.x(i).data is not None, "has weights computed at run time")
    for i in (HIDDEN, CELL):
        held = v.state(i)
        shape = held.initial.shape
        v.need(shape == (batch, units), f"has state '{held.name}' of shape {list(shape)}, not {[batch, units]}")
    v.need(isfinite(attrs.clip) and attrs.clip >= 0, f"has the cell clip {attrs.clip}")
    step = v.state(1).quant if v.y().dtype is not DType.FLOAT32 else None
    least = 0.0 if step is None else step.scale
    v.need(attrs.clip == 0 or attrs.clip >= least, f"has the cell clip {attrs.clip:g}, less than a step of {least:g}")
    if x.dtype is DType.FLOAT32:
        finite = all(np.isfinite(np.asarray(v.x(i).data)).all() for i in range(1, len(v.node.inputs)))
        v.need(finite, "has weights that are infinite or no numbers")
        return
    for held in (v.state(HIDDEN), v.state(CELL)):
        sound = held.quant is not None and len(held.quant.scales) == 1 and held.quant.scale > 0
        v.need(sound, f"has state '{held.name}' without a scale")
    v.scaled(x, y, *(v.x(i) for i in range(WEIGHTS, BIASES)))
    v.need(not any(v.x(i).q.zero_point for i in range(WEIGHTS, BIASES)), "has weights with a zero point other than 0")
    _verify_arithmetic(v)


def _verify_arithmetic(v: View) -> None:
    """Checks that TFLM's sums and shifts stay within 32 bits."""
    hidden, cell = v.state(HIDDEN).quant, v.state(CELL).quant
    assert hidden is not None and cell is not None
    v.need(2.0**-20 <= cell.scale <= 2.0, f"has a cell state of scale {cell.scale:g}, outside 2^-20 to 2")
    v.need(cell.zero_point == 0, f"has a cell state with zero point {cell.zero_point}, which TFLM ignores")
    wide = v.x().dtype is DType.INT16
    zeros = not wide or (v.x().q.zero_point == 0 and hidden.zero_point == 0)
    v.need(zeros, "has int16 activations with a zero point, which TFLM refuses")
    bits = 47 if wide else 31
    params = lstm_params(v.x(), [v.x(i) for i in range(WEIGHTS, BIASES)], hidden, cell, v.attrs(LstmAttrs).clip)
    for i in _GATES:
        for w, factor, start in (
            (v.x(WEIGHTS + i), params.inputs[i], np.abs(np.asarray(v.x(BIASES + i).data).astype(np.int64))),
            (v.x(RECURRENT + i), params.recurrent[i], 0),
        ):
            bound = int((start + (span(v.x()) + 1) * np.abs(np.asarray(w.data).astype(np.int64)).sum(axis=1)).max())
            v.need(bound < 1 << bits, f"has weights and biases with which sums overflow {bits + 1} bits")
            if wide:
                v.need(-31 <= factor.shift <= 7, f"has scales that shift by {factor.shift}")
                v.need(bound * 2.0**factor.shift < INT32, "has scales with which results overflow 32 bits")
            else:
                _shifts(v, factor, bound)
    for factor in (params.forget, params.added, params.hidden):
        _shifts(v, factor, 1 << 30)


def _shifts(v: View, factor: Multiplier, bound: int) -> None:
    sound = factor.shift <= 30 and bound << max(factor.shift, 0) < INT32
    v.need(sound, f"has scales with which values up to {bound} are shifted by {factor.shift}, beyond 32 bits")


def lstm(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The hidden state after every step, and both states after the last."""
    attrs = cast(LstmAttrs, op.attrs)
    if op.x.dtype is DType.FLOAT32:
        return _float(inputs, op)
    hidden_quant, cell_quant = op.states[HIDDEN].quant, op.states[CELL].quant
    assert hidden_quant is not None and cell_quant is not None
    params = lstm_params(
        op.x, [op.input(i) for i in range(WEIGHTS, BIASES)], hidden_quant, cell_quant, attrs.clip
    )
    weights = [array(inputs, i).astype(np.int64).T for i in range(1, BIASES)]
    biases = [array(inputs, BIASES + i).astype(np.int64) for i in _GATES]
    sums = _wide if op.x.dtype is DType.INT16 else _scaled
    x = centred(inputs, 0, op)
    steps = x if attrs.time_major else x.swapaxes(0, 1)
    hidden, cell = op.held[HIDDEN].astype(np.int64), op.held[CELL].astype(np.int64)
    low, high = op.states[HIDDEN].dtype.range
    outputs = []
    for step in steps:
        gates = []
        for i in _GATES:
            fed = sums(step @ weights[i] + biases[i], params.inputs[i])
            back = sums((hidden - hidden_quant.zero_point) @ weights[4 + i], params.recurrent[i])
            total = np.clip(fed + back, *_INT16)
            gates.append(tanh16(total, 3) if GATES[i] == "cell" else sigmoid16(total))
        added, kept, new, shown = gates
        cell = np.clip(_scaled(kept * cell, params.forget) + _scaled(added * new, params.added), *_INT16)
        if params.clip:
            cell = np.clip(cell, -params.clip, params.clip)
        product = shown * tanh16(cell, params.tanh_multiplier, params.tanh_right)
        hidden = np.clip(_rescaled(product, params.hidden) + hidden_quant.zero_point, low, high)
        outputs.append(hidden)
    made = np.stack(outputs, axis=0 if attrs.time_major else 1).astype(op.y.dtype.numpy)
    return made, hidden.astype(op.held[HIDDEN].dtype), cell.astype(op.held[CELL].dtype)


def _float(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """float32: every sum in TFLM's order, sigmoid and tanh by harness/quantization/elementary.py."""
    attrs = cast(LstmAttrs, op.attrs)
    x = floats(inputs, 0)
    steps = x if attrs.time_major else x.swapaxes(0, 1)
    hidden, cell = (held.astype(np.float32) for held in op.held)
    outputs = []
    for step in steps:
        gates = []
        for i in _GATES:
            fed = _dots(step, floats(inputs, WEIGHTS + i)) + floats(inputs, BIASES + i)
            total = fed + (_dots(hidden, floats(inputs, RECURRENT + i)) + np.float32(0))
            gates.append(elementary.tanh(total) if GATES[i] == "cell" else elementary.logistic(total))
        added, kept, new, shown = gates
        cell = kept * cell + added * new
        if attrs.clip:
            cell = np.maximum(np.minimum(cell, np.float32(attrs.clip)), np.float32(-attrs.clip))
        hidden = elementary.tanh(cell) * shown
        outputs.append(hidden)
    return np.stack(outputs, axis=0 if attrs.time_major else 1), hidden, cell


def _dots(rows: Floats, weights: Floats) -> Floats:
    """[rows, units]: sums over taps, one after another."""
    products = rows[:, np.newaxis, :] * weights
    return sum_in_order(products.reshape(-1, weights.shape[1])).reshape(len(rows), len(weights))


def _rescaled(values: Ints, factor: Multiplier) -> Ints:
    return multiply_by_quantized_multiplier(values, factor.m, factor.shift)


def _scaled(values: Ints, factor: Multiplier) -> Ints:
    """To int16."""
    clipped: Ints = np.clip(_rescaled(values, factor), *_INT16)
    return clipped


def _wide(values: Ints, factor: Multiplier) -> Ints:
    """Sums of 64 bits to int16."""
    clipped: Ints = np.clip(multiply_wide(values, factor.m, factor.shift), *_INT16)
    return clipped


def _read(op: Reading) -> Read:
    op.count(20, _INPUTS)
    for first, end, what in ((9, 12, 0), (16, 18, 1), (20, _INPUTS, 2)):
        if any(t != ABSENT for t in op.inputs[first:end]):
            raise Unsupported(_WITHOUT[what])
    if any(op.inputs[i] == ABSENT for i in (1, 5, 12)):
        raise Unsupported("coupled input and forget gates (no input gate)")
    activation = op.choice(4, ACTIVATIONS, "activation")
    if activation != "TANH":
        raise Unsupported(f"fused activation {activation} instead of TANH")
    if op.flag(14):
        raise Unsupported("diagonal recurrent weights")
    for i in _DATA[1:]:
        if not op.has_data(op.ids(i)[0]):
            raise Unsupported("weights computed at run time")
    return op.ids(*_DATA), LstmAttrs(op.real(6), op.flag(10))


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(LstmAttrs, node.attrs)
    states = tuple(to.variable(i) for i in node.states)
    absent = (ABSENT,)
    inputs = (*node.inputs[:BIASES], *absent * 3, *node.inputs[BIASES:], *absent * 2, *states, *absent * 4)
    fields = {
        **{"FusedActivationFunction": ACTIVATIONS.index("TANH"), "CellClip": attrs.clip},
        "TimeMajor": attrs.time_major,
    }
    return OperatorDraft(node.op, inputs, node.outputs, "UnidirectionalSequenceLSTM", fields)


def _macs(graph: Graph, node: Node) -> int:
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    return 4 * y.elements * (x.shape[-1] + y.shape[-1])


OPERATORS = (
    Operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        _verify,
        lstm,
        attrs=LstmAttrs,
        inputs=(13, 13),
        states=2,
        types=_TYPES,
        traits=frozenset({Trait.READS_STATE, Trait.WRITES_STATE}),
        ulp=4,  # measured over 500 layers: 2.5
        ulp_least=1.0,
        tflite=TfliteForm(44, _write, _read, options=71, version=3, states=range(18, 20), data=_DATA),
        macs=_macs,
    ),
)
