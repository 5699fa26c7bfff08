"""What joins an operator that is already there: its bias, a scale of its channels, a clamp of its output."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from harness.frontends.onnx.network import Network
from harness.frontends.onnx.value import OnnxValue
from harness.ir.graph import ABSENT, Node
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import Unsupported
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array, Clamp, DType

FREE: Clamp = DType.FLOAT32.range
"""The clamp of a float32 output without an activation."""


def writer(net: Network, value: OnnxValue) -> tuple[int, Node] | None:
    """The operator that computes a value, through what only reshapes, if only the node that is lowered reads it."""
    tensor, readers = value.tensor, 0
    while value.data is None and value.columns is None:
        # The next reader of all names that the tensor has is the one that is lowered, and no other operator reads it.
        index = net.producer(tensor)
        left = sum(net.remaining.get(name, 0) for name in net.owners.get(tensor, ()))
        if index is None or left != 1 - readers or net.reads[tensor] != readers:
            return None
        made = net.nodes[index]
        if not OPERATORS[made.op].has(Trait.SAME_BYTES):
            return index, made
        tensor, readers = made.inputs[0], 1
    return None


def clamped(net: Network, value: OnnxValue, clamp: Clamp) -> bool:
    """Gives the operator behind `value` a clamp, if it takes one, has none, and nobody else sees its output."""
    found = writer(net, value) if value.dtype is DType.FLOAT32 else None
    if found is None:
        return False
    index, made = found
    if getattr(made.attrs, "clamp", None) != FREE or OPERATORS[made.op].name in _UNCLAMPED:
        return False
    try:
        net.replace_node(index, replace(made, attrs=replace(cast(Any, made.attrs), clamp=clamp)))
    except Unsupported:
        return False
    return True


_UNCLAMPED = frozenset({"CONCATENATION"})
"""Operators with a clamp that TFLM does not compute in float32."""


def scaled(net: Network, value: OnnxValue, scale: Array | None, shift: Array | None) -> bool:
    """Multiplies and shifts the channels of the layer behind `value`, in its weights and bias; False where none is.

    Channels are the last stored dimension. scale, shift: float32 of one per channel; None: 1 and 0.
    """
    found = writer(net, value)
    if found is None:
        return False
    index, layer = found
    operator: Operator = OPERATORS[layer.op]
    axis = operator.channel_axis
    if not operator.has(Trait.WEIGHTS) or axis is None or getattr(layer.attrs, "clamp", None) != FREE:
        return False
    weights = net.tensors[layer.inputs[1]]
    channels = weights.shape[axis]
    if net.tensors[value.tensor].shape[-1:] != (channels,) or weights.dtype is not DType.FLOAT32:
        return False
    if layer.inputs[1] in net.weights:
        return False  # integers of the file: their scales stay as they are
    old = layer.inputs[2] if len(layer.inputs) > 2 else ABSENT
    if old in net.weights:
        return False
    bias = np.zeros(channels) if old == ABSENT else np.asarray(net.tensors[old].data, np.float64)
    kernel = np.asarray(weights.data, np.float64)
    if scale is not None:
        broad = [1] * kernel.ndim
        broad[axis] = channels
        kernel = kernel * scale.astype(np.float64).reshape(broad)
        bias = bias * scale.astype(np.float64)
    if shift is not None:
        bias = bias + shift.astype(np.float64)
    inputs = (
        layer.inputs[0],
        layer.inputs[1] if scale is None else net.constant(kernel.astype(np.float32), weights.name),
        net.constant(bias.astype(np.float32), f"{weights.name}/bias"),
    )
    net.replace_node(index, replace(layer, inputs=inputs))
    return True
