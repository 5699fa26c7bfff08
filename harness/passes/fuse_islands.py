"""Makes a table of what float32 operators compute between a DEQUANTIZE of one 8-bit tensor and a QUANTIZE.

Every result depends on one byte alone where the operators take each element by itself: activations, sums and products
with constants of one value, and with each other. HardSwish of a quantized ONNX model is five of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators import has, operator_of
from harness.ir.operators.operands import Operands
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.table import TableAttrs
from harness.ir.operators.traits import Trait
from harness.quantization.types import Array, DType, Rounding

_MOST = 64
"""Operators of an island."""


def fuse_islands(graph: Graph) -> Graph:
    """The graph with TABLE in place of such a QUANTIZE; what nothing else reads before it is removed later."""
    nodes = list(graph.nodes)
    for index, node in enumerate(nodes):
        y = graph.tensors[node.outputs[0]] if node.outputs else None
        if y is None or y.dtype not in EIGHT_BITS or not has(node, Trait.SAME_VALUES) or len(node.inputs) != 1:
            continue
        if graph.tensors[node.inputs[0]].dtype is not DType.FLOAT32 or node.outputs[0] in graph.places():
            continue
        island = _island(graph, node)
        if island is None:
            continue
        source, within = island
        values = _table(graph, source, [*within, node])
        sources = tuple(dict.fromkeys(s for part in (*within, node) for s in part.sources))
        attrs = TableAttrs(tuple(int(v) for v in values))
        nodes[index] = replace(
            node, op="TABLE", inputs=(source,), attrs=attrs, sources=sources, rounding=Rounding.TFLM
        )
    return replace(graph, nodes=tuple(nodes))


def _island(graph: Graph, last: Node) -> tuple[int, list[Node]] | None:
    """(the 8-bit tensor, the operators from there to `last` in order); None where there are others between."""
    producers = graph.producers()
    found: set[int] = set()
    sources: set[int] = set()
    waiting = list(last.inputs)
    exact = last.rounding is Rounding.ONNX  # TFLM's floats are its own: a table of ours is within their last places
    while waiting:
        tensor = waiting.pop()
        index = producers.get(tensor)
        if index is None or len(found) > _MOST:
            return None
        if index in found:
            continue
        node = graph.nodes[index]
        found.add(index)
        varying = [t for t in node.inputs if t >= 0 and graph.tensors[t].data is None]
        if not varying or not _takes_elements(graph, node) or (operator_of(node).ulp and not exact):
            return None
        if graph.tensors[varying[0]].dtype in EIGHT_BITS:
            sources.add(varying[0])
        else:
            waiting += varying
    return (sources.pop(), [graph.nodes[i] for i in sorted(found)]) if len(sources) == 1 else None


def _takes_elements(graph: Graph, node: Node) -> bool:
    """Whether each element of the result, a float32, follows from the elements at its place."""
    y = graph.tensors[node.outputs[0]]
    if y.dtype is not DType.FLOAT32 or not (has(node, Trait.ELEMENTWISE) or has(node, Trait.PAIRWISE)):
        return False
    return all(_is_alike(graph.tensors[t], y) for t in node.inputs if t >= 0)


def _is_alike(x: Tensor, y: Tensor) -> bool:
    return x.shape == y.shape if x.data is None else bool((x.data == x.data.reshape(-1)[0]).all())


def _table(graph: Graph, source: int, nodes: list[Node]) -> Array:
    """The results of the last of `nodes` for all values of the source, from the lowest on."""
    x = graph.tensors[source]
    low, high = x.dtype.range
    known: dict[int, Array] = {source: np.arange(low, high + 1).astype(x.dtype.numpy)}
    for node in nodes:
        given = [_value(graph, known, t) for t in node.inputs]
        ins = [replace(graph.tensors[t], shape=v.shape, data=None) for t, v in zip(node.inputs, given, strict=True)]
        out = replace(graph.tensors[node.outputs[0]], shape=(256,))
        operands = Operands(ins, [out], node.attrs, rounding=node.rounding)
        with np.errstate(all="ignore"):
            (known[node.outputs[0]],) = operator_of(node).values(given, operands)
    return known[nodes[-1].outputs[0]]


def _value(graph: Graph, known: dict[int, Array], tensor: int) -> Array:
    data = graph.tensors[tensor].data
    return known[tensor] if data is None else data.reshape(-1)[:1]
