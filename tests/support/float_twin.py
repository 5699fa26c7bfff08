"""The float network that an int8 one stands for, as a file: what a quantizer is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.frontends.tflite.serialize import TensorDraft, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph
from harness.ir.operators.tflite import ACTIVATIONS, OperatorDraft
from harness.quantization.params import real_values
from harness.quantization.types import DType

_ACTIVATION = "FusedActivationFunction"
_NEAR_SIX = 1e-3
_WHOLE = {DType.INT8.value, DType.INT16.value, DType.INT32.value, DType.INT64.value}


def float_twin(graph: Graph) -> bytes:
    """A .tflite file of the same operators over float32, with the numbers that the integers stand for."""
    subgraphs = draft(graph)
    for subgraph in subgraphs:
        subgraph.operators[:] = [_activated(operator, subgraph.tensors) for operator in subgraph.operators]
        subgraph.tensors[:] = [_real(tensor) for tensor in subgraph.tensors]
    return serialize(subgraphs)


def _real(tensor: TensorDraft) -> TensorDraft:
    quant = tensor.quant
    if quant is None or tensor.type not in _WHOLE:
        return tensor
    data = None if tensor.data is None else real_values(tensor.data, quant).astype(np.float32)
    return replace(tensor, type=DType.FLOAT32.value, quant=None, data=data)


def _activated(operator: OperatorDraft, tensors: Sequence[TensorDraft]) -> OperatorDraft:
    """With the activation that the ends of the output's integers stand for: RELU is there without being named."""
    none = operator.fields.get(_ACTIVATION) == ACTIVATIONS.index("NONE")
    if not none or operator.op == "CONCATENATION":  # which has the field, and in no runtime an activation
        return operator
    y = tensors[operator.outputs[0]]
    if y.quant is None or y.type != DType.INT8.value:
        return operator
    low, high = ((end - y.quant.zero_point) * y.quant.scale for end in DType.INT8.range)
    if low != 0:
        return operator
    name = "RELU6" if abs(high - 6) < _NEAR_SIX else "RELU"
    return replace(operator, fields={**operator.fields, _ACTIVATION: ACTIVATIONS.index(name)})
