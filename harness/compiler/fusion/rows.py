"""Which rows of its inputs an operator needs for rows of its output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from harness.ir.graph import Graph, Node, Tensor
from harness.ir.operators import has, operator_of
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.operator import EIGHT_BITS
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, Pads, PoolAttrs, WindowAxis, window_of


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


@dataclass(frozen=True)
class NodeRows:
    """A node as rows.

    Attributes:
        inputs: ids of the inputs that are no constants.
        output: id of the output.
        count: rows of the output; of the input for a mean over the image.
        window: windows along the rows; None where each row of the output is made of the same row of the inputs.
        is_mean: a mean over the image.
    """

    inputs: tuple[int, ...]
    output: int
    count: int
    window: WindowAxis | None
    is_mean: bool

    def needed(self, first: int, end: int) -> tuple[int, int]:
        """(first, end) of the rows of each input that output rows first..end are made of."""
        return (self._starts[first], self._ends[end]) if self.window else (first, end)

    def first_needed(self, row: int) -> int:
        """The first row of each input that an output row is made of."""
        return self._starts[row] if self.window else row

    @cached_property
    def _starts(self) -> list[int]:
        """By output row, the first row that it needs."""
        assert self.window is not None
        return [self.window.needed(row, row + 1)[0] for row in range(self.count)]

    @cached_property
    def _ends(self) -> list[int]:
        """By number of output rows, the end of the rows that they need."""
        assert self.window is not None
        return [0, *(self.window.needed(0, end)[1] for end in range(1, self.count + 1))]


def rows_of(graph: Graph, node: Node) -> NodeRows:
    """A node that can be computed by rows, as rows."""
    is_mean = is_image_mean(graph, node)
    windows = isinstance(node.attrs, ConvAttrs | PoolAttrs) and not is_mean
    return NodeRows(
        inputs=tuple(dict.fromkeys(t for t in node.inputs if t >= 0 and graph.tensors[t].data is None)),
        output=node.outputs[0],
        count=graph.tensors[node.inputs[0] if is_mean else node.outputs[0]].shape[1],
        window=window_of(graph, node).rows if windows else None,
        is_mean=is_mean,
    )


def slice_rows(graph: Graph, node: Node, first: int, end: int) -> tuple[Graph, Node]:
    """A graph and a node that compute output rows `first` to before `end` from the input rows for them alone."""
    attrs = node.attrs
    tensors = list(graph.tensors)
    by_rows = rows_of(graph, node)
    top, bottom = by_rows.needed(first, end)
    for t in by_rows.inputs:
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
