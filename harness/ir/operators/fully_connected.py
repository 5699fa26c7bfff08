"""FULLY_CONNECTED. Inputs: x, weights [out, in], bias or absent; x is read as [elements / in, in]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node
from harness.ir.operators import float_layers
from harness.ir.operators.float_layers import FLOAT_WEIGHTS
from harness.ir.operators.operands import Inputs, Operands, centred
from harness.ir.operators.operator import EITHER_ROUNDING, INT8_WEIGHTS, INT16_WEIGHTS, Operator
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
from harness.ir.operators.view import View
from harness.ir.operators.weights import BIAS, bias_of, read_weighted, requantized, verify_weights
from harness.quantization.types import Array, Clamp, DType

_TYPES = (*INT8_WEIGHTS, *INT16_WEIGHTS, *FLOAT_WEIGHTS)


def verify_shapes(v: View) -> tuple[int, int]:
    """Checks the shapes; returns the numbers of outputs and of inputs of a row."""
    x, w, y = v.x(), v.x(1), v.y()
    v.need(len(w.shape) == 2, f"has weights of shape {list(w.shape)}")
    out, depth = w.shape
    v.need(x.elements % depth == 0, f"reads {x.elements} elements in rows of {depth}")
    fits = bool(y.shape) and y.shape[-1] == out and y.elements == x.elements // depth * out
    v.need(fits, f"gives {x.elements // depth} rows of {out}, '{y.name}' has shape {list(y.shape)}")
    return out, depth


def _verify(v: View) -> None:
    out, _ = verify_shapes(v)
    v.clamp(v.attrs(FullyConnectedAttrs).clamp)
    verify_weights(v, out, 0, _TYPES, zero_point=True)


@dataclass(frozen=True)
class FullyConnectedAttrs(Attrs):
    """FULLY_CONNECTED. Inputs: x, weights [out, in], bias or ABSENT. x is read as [elements / in, in]."""

    clamp: Clamp
    keep_num_dims: bool = False


def fully_connected(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """FULLY_CONNECTED over x read as [elements / inputs, inputs]."""
    attrs = cast(FullyConnectedAttrs, op.attrs)
    if op.y.dtype is DType.FLOAT32:
        return float_layers.fully_connected(inputs, op, attrs.clamp)
    w = centred(inputs, 1, op)
    x = centred(inputs, 0, op).reshape(-1, w.shape[1])
    acc = (x.astype(np.float64) @ w.T.astype(np.float64)).astype(np.int64) + bias_of(inputs)
    return (requantized(acc, attrs.clamp, op),)


def read_attrs(op: Reading) -> FullyConnectedAttrs:
    """The attributes, from the options."""
    if op.choice(6, ("DEFAULT", "SHUFFLED4x16INT8"), "weights format") != "DEFAULT":
        raise Unsupported("shuffled weights")
    return FullyConnectedAttrs(op.clamp(4), keep_num_dims=op.flag(8))


def _read(op: Reading) -> Read:
    return read_weighted(op), read_attrs(op)


def write(to: Writing, node: Node) -> OperatorDraft:
    """FULLY_CONNECTED, of whatever weights."""
    attrs = cast(FullyConnectedAttrs, node.attrs)
    activation = activation_number(attrs.clamp, to.graph.tensors[node.outputs[0]])
    fields = {"FusedActivationFunction": activation, "KeepNumDims": attrs.keep_num_dims}
    return OperatorDraft("FULLY_CONNECTED", node.inputs, node.outputs, "FullyConnected", fields)


def _macs(graph: Graph, node: Node) -> int:
    w, y = graph.tensors[node.inputs[1]], graph.tensors[node.outputs[0]]
    return y.elements * w.shape[1]


OPERATORS = (
    Operator(
        "FULLY_CONNECTED",
        _verify,
        fully_connected,
        attrs=FullyConnectedAttrs,
        inputs=(2, 3),
        optional=BIAS,
        types=_TYPES,
        traits=frozenset({Trait.WEIGHTS}),
        tflite=TfliteForm(9, write, _read, options=8, version=4),
        channel_axis=0,
        macs=_macs,
        roundings=EITHER_ROUNDING,
    ),
)
