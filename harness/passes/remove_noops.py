"""Removes operators that give back what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from harness.ir.graph import ConcatAttrs, Graph, NoAttrs, Node, PadAttrs, SliceAttrs
from harness.passes.rewrite import rename, with_node, without
from harness.quantization.params import lut
from harness.quantization.types import DType

_EIGHT_BITS = (DType.INT8, DType.UINT8)


def _table(graph: Graph, node: Node) -> bool:
    """Whether a function of one byte is the identity for every byte."""
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if x.dtype is not y.dtype or x.dtype not in _EIGHT_BITS:
        return False
    low, high = x.dtype.range
    return bool(np.array_equal(lut(node.op, x, y), np.arange(low, high + 1)))


def _pad(graph: Graph, node: Node) -> bool:
    return isinstance(node.attrs, PadAttrs) and all(pair == (0, 0) for pair in node.attrs.paddings)


def _slice(graph: Graph, node: Node) -> bool:
    x = graph.tensors[node.inputs[0]]
    return isinstance(node.attrs, SliceAttrs) and all(
        count == size and (stride == 1 or size == 1)
        for count, size, stride in zip(node.attrs.counts, x.shape, node.attrs.strides, strict=True)
    )


def _concat(graph: Graph, node: Node) -> bool:
    y = graph.tensors[node.outputs[0]]
    return isinstance(node.attrs, ConcatAttrs) and len(node.inputs) == 1 and node.attrs.clamp == y.dtype.range


def _split(graph: Graph, node: Node) -> bool:
    return len(node.outputs) == 1


def _reshape(graph: Graph, node: Node) -> bool:
    return graph.tensors[node.inputs[0]].shape == graph.tensors[node.outputs[0]].shape


_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_IDENTITY: dict[str, Callable[[Graph, Node], bool]] = {
    "QUANTIZE": _table,
    "RELU": _table,
    "RELU6": _table,
    "PAD": _pad,
    "PADV2": _pad,
    "STRIDED_SLICE": _slice,
    "CONCATENATION": _concat,
    "SPLIT": _split,
    "SPLIT_V": _split,
    **dict.fromkeys(_RESHAPES, _reshape),
}


def remove_noops(graph: Graph) -> Graph:
    """Identities disappear, or become a RESHAPE when they change the shape."""
    gone: list[int] = []
    fixed = set(graph.inputs)
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        if node.op not in _IDENTITY or not _IDENTITY[node.op](graph, node):
            continue
        x, y = node.inputs[0], node.outputs[0]
        same_type = (
            graph.tensors[x].shape == graph.tensors[y].shape and graph.tensors[x].quant == graph.tensors[y].quant
        )
        is_output = y in graph.outputs
        if not same_type or (is_output and (x in fixed or x in graph.outputs or graph.tensors[x].data is not None)):
            if node.op not in _RESHAPES:
                graph = with_node(graph, index, replace(node, op="RESHAPE", attrs=NoAttrs()))
            continue
        graph = rename(graph, y, x)
        gone.append(index)
    return without(graph, gone, "gives back its input")
