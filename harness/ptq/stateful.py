"""Layers that keep a state, UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF: their weights, biases and states as integers.

Their vectors are one sequence: each is computed with the states that the one before it has left, as on a board.

Sources: tensorflow/lite/micro/kernels/lstm_eval_common.cc and svdf_common.cc; scales of the cell state are powers of
two as in tensorflow/lite/tools/optimize/operator_property.cc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, frexp, log2
from typing import cast

import numpy as np

from harness.compression.rounding import most_of, nearest, scales_of
from harness.compression.stacks import Floats, Stacks
from harness.frontends.tflite.states import initial_of
from harness.ir.graph import ABSENT, Graph, Node, State
from harness.ir.interpreter import compute
from harness.ir.operators.lstm import BIASES, GATES, RECURRENT, WEIGHTS, LstmAttrs, lstm_sizes
from harness.ir.operators.svdf import BIAS, TIME, SvdfAttrs
from harness.passes.rewrite import with_tensors
from harness.ptq.rewrite import Constant
from harness.ptq.scales import ScalesError
from harness.quantization.types import Clamp, DType, Quantization

_SUM = 0.95 * 2.0**31
"""Largest sum over time of SVDF, which TFLM holds in 32 bits."""
_LARGEST_BIAS = {DType.INT8: 2.0**30, DType.INT16: 2.0**46}
"""By type of x, of an LSTM's sums."""
_CELL = (2.0**-20, 1.0)
"""Scales of the cell state that TFLM's arithmetic holds."""


@dataclass(frozen=True, eq=False)
class StatefulLayer:
    """A layer as integers.

    Attributes:
        constants: weights and biases, by tensor.
        states: by number in the graph.
    """

    constants: Mapping[int, Constant] = field(default_factory=dict)
    states: Mapping[int, State] = field(default_factory=dict)


def quantized_layer(
    graph: Graph, node: Node, floats: Stacks, quants: Mapping[int, Quantization], activations: DType, *, by_error: bool
) -> StatefulLayer:
    """A layer's weights, biases and states.

    Args:
        graph: the float network.
        node: the layer.
        floats: all its activations over the data, which are one sequence.
        quants: of the layer's input and output.
        activations: their type.
        by_error: scales of weights have the least squared error, else the largest weight fits.
    """
    x = cast(Floats, floats[node.inputs[0]])
    if isinstance(node.attrs, LstmAttrs):
        return _lstm(graph, node, x, quants, activations, by_error=by_error)
    return _svdf(graph, node, x, quants, by_error=by_error)


def dequantized(graph: Graph, layer: StatefulLayer) -> Graph:
    """The float network with what a layer's integers stand for."""
    made = {}
    for t, constant in layer.constants.items():
        real = (constant.data.astype(np.float64) * constant.quant.scale).astype(np.float32)
        made[t] = replace(graph.tensors[t], data=real)
    return with_tensors(graph, made)


def _lstm(
    graph: Graph, node: Node, x: Floats, quants: Mapping[int, Quantization], activations: DType, *, by_error: bool
) -> StatefulLayer:
    wide = activations is DType.INT16
    constants: dict[int, Constant] = {}
    for i in range(len(GATES)):
        t, bias = node.inputs[WEIGHTS + i], node.inputs[BIASES + i]
        x_scale = quants[node.inputs[0]].scale
        real = cast(Floats, graph.tensors[bias].data)
        least = float(np.abs(real).max()) / (x_scale * _LARGEST_BIAS[activations])
        constants[t] = _weights(graph, t, by_error=by_error, least=least)
        constants[bias] = _whole(real, x_scale * constants[t].quant.scale, np.int64 if wide else np.int32)
        recurrent = node.inputs[RECURRENT + i]
        constants[recurrent] = _weights(graph, recurrent, by_error=by_error)
    hidden, cell = node.states
    largest = max(_largest_cell(graph, node, x), 1e-9)
    scale = float(np.clip(2.0 ** ceil(log2(largest / 32768)), *_CELL))
    states = {
        hidden: _state(graph.states[hidden], activations, quants[node.outputs[0]]),
        cell: _state(graph.states[cell], DType.INT16, Quantization((scale,), (0,))),
    }
    return StatefulLayer(constants, states)


def _largest_cell(graph: Graph, node: Node, x: Floats) -> float:
    """Magnitude of the cell state after any step."""
    attrs = cast(LstmAttrs, node.attrs)
    axis = 0 if attrs.time_major else 1
    _, time, _ = lstm_sizes(graph.tensors[node.inputs[0]].shape, attrs)
    held = [state.initial for state in graph.states]
    largest = 0.0
    for vector in x:
        for step in range(time):
            *_, hidden, cell = compute(graph, node, {node.inputs[0]: vector.take([step], axis)}, held=held)
            for number, after in zip(node.states, (hidden, cell), strict=True):
                held[number] = after
            largest = max(largest, float(np.abs(cell).max()))
    return largest


def _svdf(
    graph: Graph, node: Node, x: Floats, quants: Mapping[int, Quantization], *, by_error: bool
) -> StatefulLayer:
    weights, time = node.inputs[WEIGHTS], node.inputs[TIME]
    attrs, (number,) = cast(SvdfAttrs, node.attrs), node.states
    _check_clamp(node, attrs.clamp, quants[node.outputs[0]])
    made = _weights(graph, weights, by_error=by_error)
    real = cast(Floats, graph.tensors[weights].data)
    newest = x.reshape(-1, real.shape[1]) @ real.T
    low, high = DType.INT16.range
    state = max(float(np.abs(newest).max()), 1e-9) / high
    # a sum of the input's weights to a step of the state is a factor that TFLM shifts by, within 32 bits
    state = _short(max(state, quants[node.inputs[0]].scale * made.quant.scale * 2.0**-8))
    over_time = cast(Floats, graph.tensors[time].data)
    sums = np.abs(over_time.reshape(-1, attrs.rank * over_time.shape[1])).sum(axis=1) * -low
    bias = node.inputs[BIAS] if len(node.inputs) > BIAS and node.inputs[BIAS] != ABSENT else None
    offset = None if bias is None else cast(Floats, graph.tensors[bias].data)
    sums = sums if offset is None else sums + np.abs(offset) / state
    scale = _short(max(float(np.abs(over_time).max()) / high, float(sums.max()) / _SUM, 1e-12))
    constants = {weights: made, time: _whole(over_time, scale, np.int16)}
    if bias is not None and offset is not None:
        constants[bias] = _whole(offset, state * scale, np.int32)
    return StatefulLayer(
        constants, {number: _state(graph.states[number], DType.INT16, Quantization((state,), (0,)))}
    )


def _short(scale: float) -> float:
    """The scale, or a little more, in 12 bits: products of two are exact in float32, as TFLM wants them within 1e-5."""
    mantissa, exponent = frexp(scale)
    return ceil(mantissa * 4096) / 4096 * 2.0**exponent


def _check_clamp(node: Node, clamp: Clamp, y: Quantization) -> None:
    """TFLM's int8 SVDF clamps to int8 alone: the output's scale is to do what the activation does.

    Raises:
        ScalesError: it goes beyond.
    """
    low, high = ((end - y.zero_point) * y.scale for end in DType.INT8.range)
    if low < clamp[0] - y.scale / 2 or high > clamp[1] + y.scale:
        raise ScalesError(
            f"{node.op} with an activation shares its output's scale with values beyond it; TFLM's int8 form has none",
            hint="put a layer of its own behind it, or leave it out of the network",
        )


def _weights(graph: Graph, t: int, *, by_error: bool, least: float = 0.0) -> Constant:
    """int8 weights of one scale, which is at least `least`."""
    real, most = cast(Floats, graph.tensors[t].data), most_of(8)
    scale = np.maximum(scales_of(real.reshape(1, -1), most, by_error=by_error), np.float32(least))
    whole = nearest(real.reshape(1, -1), scale, most).reshape(real.shape).astype(np.int8)
    return Constant(whole, Quantization((float(scale[0]),), (0,)))


def _whole(real: Floats, scale: float, dtype: type[np.signedinteger]) -> Constant:
    step = float(np.float32(scale))
    return Constant(np.round(real.astype(np.float64) / step).astype(dtype), Quantization((step,), (0,)))


def _state(state: State, dtype: DType, quant: Quantization) -> State:
    return State(state.name, dtype, initial_of(state.initial.shape, dtype, quant), quant)
