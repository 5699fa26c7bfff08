"""The float network that an int8 one stands for, as a file: what a quantizer is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.frontends.tflite.serialize import TensorDraft, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph
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
    data = None
    if tensor.data is not None:
        along = [1] * len(tensor.shape)
        if quant.per_channel and quant.axis is not None:
            along[quant.axis] = -1
        scales, zeros = (np.array(v, np.float64) for v in (quant.scales, quant.zero_points))
        shape = along if quant.per_channel else [1] * len(tensor.shape)
        data = ((tensor.data.astype(np.float64) - zeros.reshape(shape)) * scales.reshape(shape)).astype(np.float32)
    return replace(tensor, type=DType.FLOAT32.value, quant=None, data=data)
