"""Features of unlike spread before FULLY_CONNECTED: its input has one scale, in which small ones are lost.

A StandardScaler that was folded into the weights is taken out of them again, in 16 bits or floats: SUB of the means
and MUL by powers of two. What is quantized to int8 behind them has features, and weights, of alike spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from harness.compression.stacks import Floats, bias_of, is_matrix
from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.passes.rewrite import only_consumer
from harness.ptq.network import FLOAT
from harness.quantization.types import Array, Clamp, DType

_STEPS = 255
_FEW_STEPS = 8
"""A feature whose values spread over fewer steps of the input is as good as lost,"""
_COUNTS = 1 / 16
"""and matters if the layer's sums vary by it so much of what they vary by the largest."""
_LARGEST_RATIO = 2.0**12
"""Of factors that int16 holds beside one another."""
_UNCLAMPED: Clamp = DType.FLOAT32.range


@dataclass(frozen=True, eq=False)
class UnlikeFeatures:
    """A layer that reads an input of the network with features of unlike spread.

    Attributes:
        node: its number.
        means, factors: of each feature: (x - mean) * factor is about 1 in size.
        lost: how many features matter and have few steps.
        dtype: in which they are made alike: int16, or float32 where that is not enough.
    """

    node: int
    means: Floats
    factors: Floats
    lost: int
    dtype: DType


def unlike_features(graph: Graph, inputs: Sequence[Array]) -> list[UnlikeFeatures]:
    """Layers whose inputs lose features in 8 bits; `inputs` are stacks."""
    found = []
    for t, stack in zip(graph.inputs, inputs, strict=True):
        number = only_consumer(graph, t)
        if number is None or not _reads_rows(graph, graph.nodes[number]):
            continue
        weights = cast(Floats, graph.tensors[graph.nodes[number].inputs[1]].data)
        x = stack.reshape(-1, weights.shape[1]).astype(np.float64)
        spread = x.std(axis=0)
        largest = float(np.abs(x).max())
        effect = spread * np.abs(weights).max(axis=0)
        counts = (effect > _COUNTS * effect.max()) & (spread > 0)
        lost = counts & (spread < _FEW_STEPS * (max(x.max(), 0) - min(x.min(), 0)) / _STEPS)
        if not lost.any():
            continue
        sizes = np.where(counts, spread, np.maximum(spread, spread[counts].max()))
        factors = (2.0 ** -np.round(np.log2(sizes))).astype(np.float32)
        fits = spread[counts].min() >= _FEW_STEPS * largest / DType.INT16.range[1]
        dtype = DType.INT16 if fits and factors.max() <= _LARGEST_RATIO * factors.min() else FLOAT
        found.append(UnlikeFeatures(number, x.mean(axis=0).astype(np.float32), factors, int(lost.sum()), dtype))
    return found


def _reads_rows(graph: Graph, node: Node) -> bool:
    """Whether a node is FULLY_CONNECTED over one row, with a bias."""
    rows = is_matrix(graph, node) and len(graph.tensors[node.inputs[1]].shape) == 2
    return rows and bias_of(graph, node) is not None and graph.tensors[node.inputs[0]].dtype is FLOAT


def standardised(graph: Graph, found: Sequence[UnlikeFeatures]) -> tuple[Graph, dict[int, DType]]:
    """The same function with SUB and MUL before these layers, and the types of what they read and write."""
    kinds: dict[int, DType] = {}
    before: dict[int, list[Node]] = {}
    nodes, tensors = list(graph.nodes), list(graph.tensors)

    def added(name: str, shape: tuple[int, ...], data: Floats | None = None) -> int:
        tensors.append(Tensor(name, shape, FLOAT, None, data))
        return len(tensors) - 1

    for one in found:
        node = nodes[one.node]
        x, w, b = node.inputs[:3]
        name, shape = tensors[x].name, tensors[x].shape
        size = len(one.means)
        centred, scaled = added(f"{name}/centred", shape), added(f"{name}/standardised", shape)
        means, factors = added(f"{name}/means", (size,), one.means), added(f"{name}/factors", (size,), one.factors)
        before[one.node] = [
            Node("SUB", (x, means), (centred,), BinaryAttrs(_UNCLAMPED)),
            Node("MUL", (centred, factors), (scaled,), BinaryAttrs(_UNCLAMPED)),
        ]
        weights, bias = cast(Floats, tensors[w].data), cast(Floats, tensors[b].data)
        shift = weights.astype(np.float64) @ one.means.astype(np.float64)
        tensors[w] = replace(tensors[w], data=(weights / one.factors).astype(np.float32))
        tensors[b] = replace(tensors[b], data=(bias + shift).astype(np.float32))
        nodes[one.node] = replace(node, inputs=(scaled, *node.inputs[1:]))
        kinds |= dict.fromkeys((x, centred, scaled), one.dtype)
    ordered = tuple(each for number, node in enumerate(nodes) for each in (*before.get(number, ()), node))
    return replace(graph, tensors=tuple(tensors), nodes=ordered), kinds
