"""A float network with quantized weights and scales -> a .tflite file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.frontends.tflite.serialize import SubgraphDraft, TensorDraft, halves, serialize
from harness.frontends.tflite.writer import draft
from harness.ir.graph import Graph, State
from harness.ptq.kinds import Kinds
from harness.ptq.network import FLOAT
from harness.quantization.types import Array, DType, Quantization


@dataclass(frozen=True, eq=False)
class Constant:
    """Quantized weights or biases.

    Attributes:
        data: whole numbers.
        quant: what they stand for.
        bits: 4 for weights of which two are stored in a byte; else those of the type of `data` count.
    """

    data: Array
    quant: Quantization
    bits: int = 8


def written(
    graph: Graph,
    scales: Mapping[int, Quantization],
    constants: Mapping[int, Constant],
    kinds: Kinds,
    states: Mapping[int, State],
    metadata: Mapping[str, bytes] | None = None,
) -> bytes:
    """The file of a network whose float tensors are integers.

    Args:
        graph: the float network.
        scales: of every float tensor that is no weight or bias.
        constants: weights and biases, by tensor.
        kinds: the type of every other float tensor.
        states: those that are integers, by number in the graph.
        metadata: what else the file holds, by name.
    """
    held = tuple(states.get(number, state) for number, state in enumerate(graph.states))
    subgraphs = draft(replace(graph, states=held))
    main = subgraphs[0]
    for t, tensor in enumerate(graph.tensors):
        if t in constants:
            made = constants[t]
            main.tensors[t] = TensorDraft(tensor.name, tensor.shape, *_stored(made))
        elif tensor.dtype is FLOAT and kinds.of(t) is not FLOAT:
            main.tensors[t] = _integers(main.tensors[t], scales[t], kinds.of(t))
    _helpers(main, len(graph.tensors))
    return serialize(subgraphs, metadata)


def _stored(made: Constant) -> tuple[str, Quantization, Array]:
    """Type, quantization and data as the file has them."""
    if made.bits != 4:
        return made.data.dtype.name, made.quant, made.data
    return "int4", made.quant, halves(made.data)


def _helpers(main: SubgraphDraft, first: int) -> None:
    """Float constants that writers of operators have added, such as what PADV2 pads with, have their output's scale."""
    for operator in main.operators:
        for t in operator.inputs:
            if t >= first and main.tensors[t].type == FLOAT.value:
                made = main.tensors[operator.outputs[0]]
                if made.quant is None:  # of a layer that stays float32
                    continue
                main.tensors[t] = _integers(main.tensors[t], made.quant, DType(made.type))


def _integers(tensor: TensorDraft, quant: Quantization, dtype: DType) -> TensorDraft:
    data = None
    if tensor.data is not None:
        least, most = dtype.range
        data = np.clip(np.round(np.asarray(tensor.data, np.float64) / quant.scale) + quant.zero_point, least, most)
        data = data.astype(dtype.numpy)
    return replace(tensor, type=dtype.value, quant=quant, data=data)
