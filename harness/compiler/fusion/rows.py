"""Which rows of its inputs an operator needs for rows of its output."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators import has, operator_of
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, window_of


def can_fuse_rows(graph: Graph, node: Node) -> bool:
    """Whether the operator can be computed by rows: one NHWC image in and out, and no output row is padding alone."""
    if len(node.outputs) != 1 or not node.inputs:
        return False
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    if len(x.shape) != 4 or x.shape[0] != 1 or x.data is not None:
        return False
    data = (*operator_of(node).data_inputs(node), *node.outputs)
    if not has(node, Trait.SAME_VALUES) and any(graph.tensors[t].dtype not in EIGHT_BITS for t in data):
        return False
    if is_image_mean(graph, node):
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


def is_image_mean(graph: Graph, node: Node) -> bool:
    """Whether the operator is the mean over a whole image of each channel, which sums can be kept for row by row."""
    attrs, x = node.attrs, graph.tensors[node.inputs[0]] if node.inputs else None
    if x is None or len(x.shape) != 4 or x.shape[0] != 1:
        return False
    if isinstance(attrs, MeanAttrs):
        return attrs.axes == (1, 2)
    whole = isinstance(attrs, PoolAttrs) and attrs.kernel == x.shape[1:3] and attrs.pads == Pads()
    return whole and has(node, Trait.AVERAGES)


def _row_operand(x: Tensor, y: Tensor) -> bool:
    """Whether an operand of ADD or MUL has the output's shape, or is a constant that is the same for every row."""
    if x.data is not None:
        return len(x.shape) < 3 or x.shape[-3] == 1
    return x.shape == y.shape


def row_count(graph: Graph, node: Node) -> int:
    """Rows of the operator's output; of the input for a mean over the image."""
    t = node.inputs[0] if is_image_mean(graph, node) else node.outputs[0]
    return graph.tensors[t].shape[1]


def input_rows(graph: Graph, node: Node, first: int, end: int) -> dict[int, tuple[int, int]]:
    """By id of each input that is no constant: (first, end) of the rows that output rows first..end are made of."""
    rows = (first, end)
    if isinstance(node.attrs, ConvAttrs | PoolAttrs) and not is_image_mean(graph, node):
        rows = window_of(graph, node).rows.needed(first, end)
    return {t: rows for t in node.inputs if t >= 0 and graph.tensors[t].data is None}


def slice_rows(graph: Graph, node: Node, first: int, end: int) -> tuple[Graph, Node]:
    """A graph and a node that compute output rows `first` to before `end` from the input rows for them alone."""
    attrs = node.attrs
    tensors = list(graph.tensors)
    for t, (top, bottom) in input_rows(graph, node, first, end).items():
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
