"""Which rows of its inputs an operator needs for rows of its output."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators import has
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, window_of


def can_stream(graph: Graph, node: Node) -> bool:
    """Whether the operator can be computed row by row: one image in, one image out, both whole in their width."""
    if len(node.outputs) != 1 or not node.inputs:
        return False
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if len(x.shape) != 4 or x.shape[0] != 1 or x.data is not None:
        return False
    if is_total(graph, node):
        return True
    if len(y.shape) != 4 or y.shape[0] != 1:
        return False
    attrs = node.attrs
    if isinstance(attrs, BinaryAttrs):
        return all(_row_operand(graph.tensors[t], y) for t in node.inputs)
    if isinstance(attrs, ConvAttrs | PoolAttrs):
        rows = window_of(graph, node).rows
        return all(end > first for first, end in (rows.needed(row, row + 1) for row in range(rows.out)))
    return has(node, Trait.ROW_BY_ROW)


def is_total(graph: Graph, node: Node) -> bool:
    """Whether the operator is the mean over a whole image, which can be summed up row by row."""
    attrs, x = node.attrs, graph.tensors[node.inputs[0]] if node.inputs else None
    if x is None or len(x.shape) != 4 or x.shape[0] != 1:
        return False
    if isinstance(attrs, MeanAttrs):
        return attrs.axes == (1, 2)
    whole = isinstance(attrs, PoolAttrs) and attrs.kernel == x.shape[1:3] and attrs.pads == Pads()
    return whole and has(node, Trait.AVERAGES)


def _row_operand(x: Tensor, y: Tensor) -> bool:
    """Whether an operand of ADD or MUL has the output's rows, or is a constant that is the same for every row."""
    if x.data is not None:
        return len(x.shape) < 3 or x.shape[-3] == 1
    return x.shape == y.shape


def rows_of(graph: Graph, node: Node) -> int:
    """Rows that the operator gives; of a mean over the image the rows that it takes in."""
    t = node.inputs[0] if is_total(graph, node) else node.outputs[0]
    return graph.tensors[t].shape[1]


def needed(graph: Graph, node: Node, first: int, end: int) -> dict[int, tuple[int, int]]:
    """(first, end) rows of each input that is no constant, by tensor id, for output rows first..end."""
    rows = (first, end)
    if isinstance(node.attrs, ConvAttrs | PoolAttrs) and not is_total(graph, node):
        rows = window_of(graph, node).rows.needed(first, end)
    return {t: rows for t in node.inputs if t >= 0 and graph.tensors[t].data is None}


def part(graph: Graph, node: Node, first: int, end: int) -> tuple[Graph, Node]:
    """The graph and node that compute output rows first..end alone, from the rows they need."""
    attrs = node.attrs
    tensors = list(graph.tensors)
    for t, (top, bottom) in needed(graph, node, first, end).items():
        tensors[t] = _cut(tensors[t], bottom - top)
    tensors[node.outputs[0]] = _cut(tensors[node.outputs[0]], end - first)
    if isinstance(attrs, ConvAttrs | PoolAttrs):
        rows = window_of(graph, node).rows
        start, stop = rows.span(first, end)
        pads = replace(attrs.pads, top=max(-start, 0), bottom=max(stop - rows.size, 0))
        node = replace(node, attrs=replace(attrs, pads=pads))
    return replace(graph, tensors=tuple(tensors)), node


def _cut(tensor: Tensor, rows: int) -> Tensor:
    return replace(tensor, shape=(tensor.shape[0], rows, *tensor.shape[2:]))


def row_bytes(tensor: Tensor) -> int:
    """Bytes of one row of an image."""
    return tensor.bytes // tensor.shape[1]
