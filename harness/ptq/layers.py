"""Which layer hurts: every layer's error by itself and with all before it, ranges, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from harness.compression.noise import open_reference, sqnr
from harness.compression.stacks import Floats, Stacks, computed
from harness.ir.graph import Graph, Node
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_tensors
from harness.ptq.calibration import DataPart
from harness.ptq.evaluation import integer_inputs, reals_of
from harness.ptq.features import unlike_features
from harness.ptq.network import FLOAT
from harness.ptq.quantizer import QuantizedModel
from harness.ptq.ranges import rounded
from harness.quantization.params import real_values
from harness.quantization.types import Array, DType

BINS = 40
LOW_SQNR = 20.0
"""dB of a layer by itself, below which something is to be done."""

_OUTLIERS = 4.0
"""A range so many times that of 99.9 % of the values is due to outliers."""
_UNLIKE = 16.0
"""Ranges of channels so far apart are to be equalised."""
MOST_VECTORS = 64


@dataclass(frozen=True)
class LayerError:
    """A layer of the quantized network.

    Attributes:
        index: of its node.
        op: operator.
        tensor: name of what it writes.
        alone: dB of its output where its input is the float network's, quantized.
        accumulated: dB of its output in the quantized network.
        low, high: what the lowest and highest integer stand for.
        least, most: of the float network's values.
        histogram: of these, in BINS steps from `least` to `most`.
        hint: what would help; "" for a layer that does not hurt.
    """

    index: int
    op: str
    tensor: str
    alone: float
    accumulated: float
    low: float
    high: float
    least: float
    most: float
    histogram: tuple[int, ...]
    hint: str


def layer_errors(quantized: QuantizedModel, floats: Stacks, part: DataPart) -> tuple[LayerError, ...]:
    """The error of every layer that writes floats, over at most MOST_VECTORS vectors of `part`."""
    count = min(len(part), MOST_VECTORS)
    few = DataPart(tuple(stack[:count] for stack in part.inputs), None)
    held = {t: stack[:count] for t, stack in floats.items()}
    made = _made(quantized, few)
    source = _dequantized(quantized)
    lost = {one.node: one.lost for one in unlike_features(quantized.source, few.inputs)}
    found = []
    for index, node in enumerate(source.nodes):
        t = node.outputs[0]
        if source.tensors[t].dtype is not FLOAT or t not in made:
            continue
        alone = _alone(quantized, source, node, held)
        wanted = cast(Floats, held[t])
        tensor = quantized.graph.tensors[made[t][0]]
        ends = [float(wanted.min()), float(wanted.max())]
        if tensor.quant is not None:
            ends = [(limit - tensor.q.zero_point) * tensor.q.scale for limit in tensor.dtype.range]
        counts, _ = np.histogram(wanted, BINS)
        error = LayerError(
            index,
            node.op,
            source.tensors[t].name,
            sqnr(wanted, alone),
            sqnr(wanted, made[t][1]),
            ends[0],
            ends[1],
            float(wanted.min()),
            float(wanted.max()),
            tuple(int(n) for n in counts),
            "",
        )
        found.append(replace(error, hint=_hint(quantized, node, error, wanted, lost.get(index, 0))))
    return tuple(found)


def _made(quantized: QuantizedModel, part: DataPart) -> Mapping[int, tuple[int, Array]]:
    """Tensor of the float network -> (tensor of the quantized graph, its values as real numbers)."""
    graph = quantized.graph
    by_source = {tensor.source: t for t, tensor in enumerate(graph.tensors) if tensor.data is None}
    with open_reference(graph) as session:
        rows = [session.invoke(inputs, tensors=True).tensors for inputs in integer_inputs(graph, part)]
    return {
        source: (t, reals_of(graph, t, np.stack([row[source] for row in rows])))
        for source, t in by_source.items()
        if source is not None and all(source in row for row in rows)
    }


def _dequantized(quantized: QuantizedModel) -> Graph:
    """The float network with the constants that the quantized one has."""
    source, graph = quantized.source, quantized.graph
    changed = {}
    for tensor in graph.tensors:
        t = tensor.source
        if tensor.data is None or tensor.quant is None or t is None or t >= len(source.tensors):
            continue
        real = real_values(tensor.data, tensor.quant).astype(np.float32)
        changed[t] = replace(source.tensors[t], data=real)
    return with_tensors(source, changed)


def _alone(quantized: QuantizedModel, source: Graph, node: Node, floats: Stacks) -> Array:
    """What a layer gives with quantized weights, input and output, where all before it are the float network's."""
    graph = quantized.graph
    quants = {tensor.source: tensor for tensor in graph.tensors if tensor.data is None and tensor.quant is not None}
    given = {
        t: rounded(cast(Floats, floats[t]), quants[t].q, quants[t].dtype) if t in quants else floats[t]
        for t in node.inputs
        if t in floats
    }
    (made, *_) = computed(source, node, given)
    y = quants.get(node.outputs[0])
    return made if y is None else rounded(cast(Floats, made), y.q, y.dtype)


def _hint(quantized: QuantizedModel, node: Node, error: LayerError, values: Floats, lost: int) -> str:
    """What would help; `lost` features of the layer's input are too small for its integers."""
    if error.alone >= LOW_SQNR:
        return ""
    if lost and not quantized.scheme.standardise:
        return f"features: {lost} of its input's are lost beside larger ones (--scheme mse+features+bias+adaptive)"
    wide = max(abs(error.low), abs(error.high))
    usual = float(np.percentile(np.abs(values), 99.9))
    if usual > 0 and wide > _OUTLIERS * usual:
        return f"clip: 99.9 % of the values are within {usual:.3g} (--scheme mse or percentile-99.9)"
    if has(node, Trait.WEIGHTS):
        weights = cast(Floats, quantized.source.tensors[node.inputs[1]].data)
        sizes = np.abs(weights.reshape(len(weights), -1)).max(axis=1)
        live = sizes[sizes > 0]
        if live.size and float(live.max() / live.min()) > _UNLIKE and not quantized.scheme.equalise:
            return "equalise: its channels' weights differ much in range (--scheme mse+equalised+bias)"
    return "16 bit: 8 are too few here (--scheme mse+16x8)" if quantized.scheme.activations is DType.INT8 else ""
