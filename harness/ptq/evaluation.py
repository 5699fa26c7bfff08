"""How far a quantized network is from the float one: signal to noise of outputs, and accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from harness.compression.noise import open_reference, sqnr
from harness.compression.stacks import Stacks
from harness.ir.graph import Graph
from harness.ptq.calibration import DataPart
from harness.ptq.quantizer import QuantizedModel
from harness.quantization.params import dequantize_values, quantize_values
from harness.quantization.types import Array, DType
from harness.validate import classification


@dataclass(frozen=True)
class Evaluation:
    """A quantized network over some vectors.

    Attributes:
        sqnr: of each output: power of the float network's output over power of the difference, in dB.
        accuracy: share of vectors whose class is right; None without labels.
        oracle: what computed the quantized network.
    """

    sqnr: tuple[float, ...]
    accuracy: float | None
    oracle: str

    @property
    def worst_sqnr(self) -> float:
        """Of the output that is the furthest off."""
        return min(self.sqnr)


def evaluate(quantized: QuantizedModel, floats: Stacks, part: DataPart) -> Evaluation:
    """The quantized network by TFLM over `part`, beside the float network's activations over the same vectors.

    Raises:
        OracleError: TFLM refuses the file.
    """
    graph = quantized.graph
    with open_reference(graph) as session:
        rows = [session.invoke(inputs).outputs for inputs in integer_inputs(graph, part)]
        oracle = f"{session.name} {session.version}"
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    made = [reals_of(graph, t, column) for t, column in zip(graph.outputs, columns, strict=True)]
    wanted = [floats[t] for t in quantized.source.outputs]
    return Evaluation(
        tuple(sqnr(float_output, output) for float_output, output in zip(wanted, made, strict=True)),
        accuracy_of(made[0], part),
        oracle,
    )


def accuracy_of(outputs: Array, part: DataPart) -> float | None:
    """Share of vectors whose class the first output has right; None without labels."""
    if part.labels is None:
        return None
    return classification.accuracy(classification.classify(outputs.astype(np.float64)), part.labels)


def integer_inputs(graph: Graph, part: DataPart) -> list[tuple[Array, ...]]:
    """[vector][input] as the quantized network takes them."""
    tensors = [graph.tensors[t] for t in graph.inputs]
    columns = [
        stack if tensor.dtype.numpy == stack.dtype else quantize_values(stack, tensor)
        for tensor, stack in zip(tensors, part.inputs, strict=True)
    ]
    return list(zip(*columns, strict=True))


def reals_of(graph: Graph, t: int, stack: Array) -> Array:
    """A stack of a tensor of a quantized graph as real numbers."""
    tensor = graph.tensors[t]
    if tensor.quant is None or tensor.dtype is DType.FLOAT32:
        return stack
    return cast(npt.NDArray[np.float32], dequantize_values(stack, tensor))
