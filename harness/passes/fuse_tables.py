"""Merges chains of functions of one byte into one table; tables that only shift and clamp into the layer before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, Node
from harness.ir.operators import has, operator_of
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.operands import Operands
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.table import TableAttrs
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, PoolAttrs
from harness.passes.rewrite import only_consumer
from harness.quantization.types import Array, Clamp, DType, Rounding


def fuse_tables(graph: Graph) -> Graph:
    """ADD and MUL with a constant of one value become tables; a table after a table, or after a layer, is merged.

    A table is merged into a layer if it adds a constant and saturates: the layer's zero point and clamp do the same.
    """
    nodes = list(graph.nodes)
    producers, gone = dict(graph.producers()), set()
    for index, node in enumerate(graph.nodes):
        table = _table(graph, node)
        if table is None:
            continue
        x = _operand(graph, node)
        source = producers.get(x)
        placed = node.outputs[0] in graph.places()  # must not be written earlier
        if source is not None and not placed and only_consumer(graph, x) is not None:
            fused = _joined(graph, nodes[source], node, x, table)
            if fused is not None:
                nodes[source] = fused
                producers[node.outputs[0]] = source
                gone.add(index)
                continue
        if isinstance(node.attrs, BinaryAttrs):
            nodes[index] = replace(
                node, op="TABLE", inputs=(x,), attrs=_attrs(table), rounding=Rounding.TFLM
            )
    return replace(graph, nodes=tuple(node for index, node in enumerate(nodes) if index not in gone))


def _joined(graph: Graph, producer: Node, node: Node, x: int, table: Array) -> Node | None:
    """The producer with the table merged into it; None where that is not exact."""
    mid, y = graph.tensors[x], graph.tensors[node.outputs[0]]
    sources = producer.sources + node.sources
    before = _table(graph, producer) if has(producer, Trait.BYTE_FUNCTION) else None
    if before is not None:
        composed = table[before.astype(np.int64) - mid.dtype.range[0]]
        return Node("TABLE", producer.inputs, node.outputs, _attrs(composed), sources)
    attrs = producer.attrs
    if not isinstance(attrs, ConvAttrs | FullyConnectedAttrs | BinaryAttrs | PoolAttrs):
        return None
    if mid.dtype is not DType.INT8 or y.dtype is not DType.INT8 or mid.quant is None or y.quant is None:
        return None
    if mid.q.scale != y.q.scale:
        return None
    shift = y.q.zero_point - mid.q.zero_point
    if isinstance(attrs, PoolAttrs) and shift:
        return None  # pools do not requantize
    low, high = attrs.clamp
    seen = table[low + 128 : high + 129].astype(np.int64)
    clamp: Clamp = (int(seen[0]), int(seen[-1]))
    if clamp[0] > clamp[1] or not np.array_equal(np.clip(np.arange(low, high + 1) + shift, *clamp), seen):
        return None
    return replace(producer, outputs=node.outputs, attrs=replace(attrs, clamp=clamp), sources=sources)


def _operand(graph: Graph, node: Node) -> int:
    """The input that is no constant."""
    return next(t for t in node.inputs if t >= 0 and graph.tensors[t].data is None)


def _table(graph: Graph, node: Node) -> Array | None:
    """Outputs for all values of the input from the lowest on; None where the node is no function of one byte."""
    if not has(node, Trait.BYTE_FUNCTION) and not isinstance(node.attrs, BinaryAttrs):
        return None
    varying = [t for t in node.inputs if t >= 0 and graph.tensors[t].data is None]
    y = graph.tensors[node.outputs[0]]
    if len(varying) != 1:
        return None
    x = graph.tensors[varying[0]]
    if x.dtype not in EIGHT_BITS or y.dtype not in EIGHT_BITS or x.shape != y.shape:
        return None
    whole = replace(x, shape=(256,))
    values: list[Array] = []
    tensors = []
    for t in node.inputs:
        tensor, data = graph.tensors[t], graph.tensors[t].data
        if data is None:
            values.append(np.arange(x.dtype.range[0], x.dtype.range[1] + 1).astype(x.dtype.numpy))
            tensors.append(whole)
            continue
        if (data != data.reshape(-1)[0]).any():
            return None
        values.append(data.reshape(-1)[:1])
        tensors.append(replace(tensor, shape=(1,), data=None))
    operands = Operands(tensors, [replace(y, shape=(256,))], node.attrs, rounding=node.rounding)
    (table,) = operator_of(node).values(values, operands)
    return table


def _attrs(table: Array) -> TableAttrs:
    return TableAttrs(tuple(int(v) for v in table))
