"""The float network that an int8 one stands for, as a file: what a quantizer is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.frontends.tflite.serialize import TensorDraft, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph
from harness.quantization.params import real_values
from harness.quantization.types import DType

_WHOLE = {DType.INT8.value, DType.INT16.value, DType.INT32.value, DType.INT64.value}


def float_twin(graph: Graph) -> bytes:
    """A .tflite file of the same operators over float32, with the numbers that the integers stand for."""
    subgraphs = draft(graph)
    for subgraph in subgraphs:
        subgraph.tensors[:] = [_real(tensor) for tensor in subgraph.tensors]
    return serialize(subgraphs)


def _real(tensor: TensorDraft) -> TensorDraft:
    quant = tensor.quant
    if quant is None or tensor.type not in _WHOLE:
        return tensor
    data = None if tensor.data is None else real_values(tensor.data, quant).astype(np.float32)
    return replace(tensor, type=DType.FLOAT32.value, quant=None, data=data)
