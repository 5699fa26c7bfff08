"""FULLY_CONNECTED whose weights, or a float bias, are computed at run time. In a file it is FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.ir.graph import ABSENT, Attrs, Graph, Node
from harness.ir.operators.fully_connected import fully_connected, read_attrs, verify_shapes, write
from harness.ir.operators.operator import Operator, Types, same
from harness.ir.operators.tflite import Read, Reading, TfliteForm
from harness.ir.operators.view import INT32, View, span
from harness.ir.operators.weights import BIAS
from harness.quantization.types import Clamp, DType


@dataclass(frozen=True)
class DynamicAttrs(Attrs):
    """As FullyConnectedAttrs, which passes take for a layer of constant weights."""

    clamp: Clamp
    keep_num_dims: bool = False


def _verify(v: View) -> None:
    x, w, y = v.x(), v.x(1), v.y()
    channels, depth = verify_shapes(v)
    v.clamp(v.attrs(DynamicAttrs).clamp)
    bias = v.x(2) if len(v.node.inputs) > 2 and v.node.inputs[2] != ABSENT else None
    if bias is not None:
        v.shape(bias, (channels,))
    if y.dtype is DType.FLOAT32:
        return
    v.scaled(x, w, y)
    bound = depth * span(x) * span(w)
    if bias is not None:
        v.need(bias.data is not None, f"has the bias '{bias.name}' of run time, with which sums may overflow 32 bits")
        bound += int(np.abs(np.asarray(bias.data, np.int64)).max())
    v.need(bound < INT32, f"sums {depth} products, with which sums overflow 32 bits")
    v.multiplier(float(np.float32(x.q.scale)) * w.q.scale / y.q.scale, bound)


def _read(op: Reading) -> Read:
    op.count(2, 3)
    attrs = read_attrs(op)
    bias = op.inputs[2] if len(op.inputs) == 3 else ABSENT
    return (*op.ids(0, 1), bias), DynamicAttrs(attrs.clamp, attrs.keep_num_dims)


def _macs(graph: Graph, node: Node) -> int:
    return graph.tensors[node.outputs[0]].elements * graph.tensors[node.inputs[1]].shape[1]


OPERATORS = (
    Operator(
        "DYNAMIC_FULLY_CONNECTED",
        _verify,
        fully_connected,
        attrs=DynamicAttrs,
        inputs=(2, 3),
        optional=BIAS,
        types=(Types(DType.INT8, DType.INT8, apart=((2, DType.INT32),)), *same(DType.FLOAT32)),
        tflite=TfliteForm(9, write, _read, options=8, version=4, dynamic_of="FULLY_CONNECTED"),
        macs=_macs,
    ),
)
