"""One layer's weights in fewer bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

import numpy as np

from harness.compression.levels import FLOAT_VALUES, VALUES, CompressionLevel, TableScope
from harness.compression.noise import sqnr
from harness.compression.rounding import Rounding, adaptive, in_order, most_of, nearest, scales_of
from harness.compression.sharing import Doubles, few_values, nearest_of
from harness.compression.stacks import Floats, columns, factors, is_apart, is_matrix
from harness.ir.graph import ABSENT, Graph, Node, Tensor
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.quantization.few_bits import PAYS, stored_bytes
from harness.quantization.params import real_values
from harness.quantization.shared_values import distinct, is_int4, shared_values
from harness.quantization.types import DType, Quantization

LEAST = 256
"""Weights of a layer: with fewer, a table and the code that reads it take what is saved."""

_BITS = 4
_MOST_FACTORS = 2048
"""Of an output: with more, the errors of weights are not made up for by others, which takes their number cubed."""

_ROWS = 20_000
"""Most outputs of a layer that its weights are found on."""


@dataclass(frozen=True, eq=False)
class LayerChange:
    """A layer with other weights.

    Attributes:
        index: of its node.
        op: its operator.
        weights: name of the tensor.
        values: different weights that are left.
        before, after: bytes of the weights as they are, and as indices with their table, or as four bits.
        sqnr: of the weights as real numbers, in dB.
        tensors: what is exchanged in the graph, by id.
        with_data: whether its inputs were looked at.
    """

    index: int
    op: str
    weights: str
    values: int
    before: int
    after: int
    sqnr: float
    tensors: Mapping[int, Tensor]
    with_data: bool

    @property
    def saved(self) -> int:
        """Bytes."""
        return self.before - self.after


def is_compressible(graph: Graph, index: int) -> bool:
    """Whether a layer's weights are looked at: of fully connected layers and convolutions over all input channels."""
    node = graph.nodes[index]
    if not has(node, Trait.WEIGHTS) or not is_matrix(graph, node) or is_apart(node):
        return False
    weights = graph.tensors[node.inputs[1]]
    if weights.data is None or weights.dtype not in (DType.INT8, DType.FLOAT32) or node.inputs[1] in graph.outputs:
        return False
    return weights.elements >= LEAST


def compress_layer(graph: Graph, index: int, level: CompressionLevel, x: Floats | None) -> LayerChange | None:
    """A layer's weights by a level; None where nothing is gained.

    Args:
        graph: the network.
        index: of a node whose weights are compressible.
        level: one that changes weights.
        x: what the layer reads, as real numbers: [vectors, *shape]; None where there is no data.
    """
    layer = _WeightRows(graph, index, x)
    made = layer.narrowed() if level.linear else layer.shared(layer.table(level))
    if made is None or made.after > PAYS * made.before:
        return None
    return made


class _WeightRows:
    """The weights of a layer as rows: [output channels, weights of a channel]."""

    def __init__(self, graph: Graph, index: int, x: Floats | None) -> None:
        self._graph, self._index = graph, index
        self._node: Node = graph.nodes[index]
        self._weights = graph.tensors[self._node.inputs[1]]
        assert self._weights.data is not None
        self._rows: Doubles = self._weights.data.reshape(len(self._weights.data), -1).astype(np.float64)
        alone = graph.consumers().get(self._node.inputs[1], []) == [index]
        self._seen = self._factors(x) if x is not None and alone else None
        self._alone = alone

    @property
    def _is_float(self) -> bool:
        return self._weights.dtype is DType.FLOAT32

    def _factors(self, x: Floats) -> Floats:
        """What the weights of each group are multiplied by: [groups, outputs, factors]."""
        y = self._graph.tensors[self._node.outputs[0]]
        few = max(_ROWS // max(y.elements // y.shape[-1], 1), 1)
        if len(x) > few:
            x = x[np.linspace(0, len(x) - 1, few).astype(np.int64)]
        return factors(self._graph, self._node, columns(self._graph, self._node, x))

    def _scales(self) -> Doubles:
        """[output channels]: what 1 stands for."""
        if self._weights.quant is None:
            return np.ones(len(self._rows))
        scales: Doubles = np.broadcast_to(np.array(self._weights.quant.scales, np.float64), (len(self._rows),))
        return scales

    # --- shared values -----------------------------------------------------------------------------------------------

    def table(self, level: CompressionLevel) -> TableScope | None:
        """What has a table of its own at a level."""
        if self._is_float:
            return TableScope.LAYER
        taps = prod(self._weights.shape[1:-1])
        return level.pointwise if taps == 1 else level.others

    def shared(self, each: TableScope | None) -> LayerChange | None:
        """With 16 values for each layer or channel; float32 layers have FLOAT_VALUES."""
        if each is None:
            return None
        most = FLOAT_VALUES if self._is_float else VALUES
        assert self._weights.data is not None
        if shared_values(self._weights.data, most, None if each is TableScope.LAYER else 0) is not None:
            return self._change(self._weights, {})
        rows, counts = self._rows, self._counts()
        if each is TableScope.LAYER:
            rows, counts = rows.reshape(1, -1), counts.reshape(1, -1)
        tables = [self._values(row, most, count, c) for c, (row, count) in enumerate(zip(rows, counts, strict=True))]
        made = self._rounded(self._rows, tables)
        tensor = self._with_rows(made, self._weights.quant)
        return self._change(tensor, self._corrected(made - self._rows, {}))

    def _values(self, row: Doubles, most: int, counts: Doubles, channel: int) -> Doubles:
        """The table of some weights; the weight that stands for 0 stays where there is one."""
        zeros = (0,) if self._weights.quant is None else self._weights.quant.zero_points
        zero = float(zeros[channel if len(zeros) > 1 else 0])
        found = few_values(row, most, counts, whole=not self._is_float, kept=zero)
        return np.unique(found.astype(np.float32)).astype(np.float64) if self._is_float else found

    def _counts(self) -> Doubles:
        """How much the error of each weight counts in what the layer gives, as rows."""
        scales = np.square(self._scales())[:, None]
        if self._seen is None:
            return np.broadcast_to(scales, self._rows.shape)
        power = np.square(self._seen.astype(np.float64)).mean(axis=1)
        each = len(self._rows) // len(power)
        counts: Doubles = scales * np.repeat(power, each, axis=0)
        return counts

    def _rounded(self, rows: Doubles, tables: Sequence[Doubles]) -> Doubles:
        """Rows of values of one table, or of a table for each row: errors made up for, where the inputs are known."""
        each = len(rows)
        if self._seen is None or self._seen.shape[2] > _MOST_FACTORS:
            return _nearest(rows, tables)
        each //= len(self._seen)
        parts = rows.astype(np.float32).reshape(len(self._seen), each, -1)
        found = []
        for g, (part, seen) in enumerate(zip(parts, self._seen, strict=True)):
            own = tables if len(tables) == 1 else tables[g * each : (g + 1) * each]
            found.append(in_order(part, _of_tables(own), seen))
        return np.concatenate(found)

    # --- four bits ---------------------------------------------------------------------------------------------------

    def narrowed(self) -> LayerChange | None:
        """As integers of four bits with scales of their own; None where the layer cannot have them."""
        quant = self._weights.quant
        if self._is_float or quant is None or any(quant.zero_points) or not self._alone or not self._bias_is_own:
            return None
        assert self._weights.data is not None
        if is_int4(self._weights.data):
            return self._change(self._weights, {})
        most = most_of(_BITS)
        real = (self._rows * self._scales()[:, None]).astype(np.float32)
        one = len(self._weights.shape) == 2 and len(quant.scales) == 1
        found = scales_of(real.reshape(1, -1) if one else real, most, by_error=True)
        old = self._scales()[:1] if one else self._scales()  # with it, weights of -7 to 7 stay exact; 0 has none
        found = np.maximum(found, old).astype(np.float32)
        channel = np.repeat(found, len(real)) if one else found
        made = self._whole(real, channel, most)
        own = tuple(float(s) for s in found)
        tensor = self._with_rows(made, Quantization(own, (0,) * len(own), None if len(own) == 1 else 0))
        scales = channel.astype(np.float64)
        errors = made - real.astype(np.float64) / scales[:, None]
        return self._change(tensor, self._corrected(errors, self._rescaled(tensor)))

    def _whole(self, real: Floats, scales: Floats, most: int) -> Doubles:
        if self._seen is None or self._seen.shape[2] > _MOST_FACTORS:
            return nearest(real, scales, most)
        each = len(real) // len(self._seen)
        parts = real.reshape(len(self._seen), each, -1)
        return np.concatenate(
            [
                adaptive(part, scales[g * each : (g + 1) * each], most, seen, centred=False)
                for g, (part, seen) in enumerate(zip(parts, self._seen, strict=True))
            ]
        )

    # --- bias --------------------------------------------------------------------------------------------------------

    @property
    def _bias(self) -> int:
        """Tensor of the bias; ABSENT without one."""
        return self._node.inputs[2] if len(self._node.inputs) > 2 else ABSENT

    @property
    def _bias_is_own(self) -> bool:
        return self._bias == ABSENT or self._graph.consumers().get(self._bias, []) == [self._index]

    def _rescaled(self, weights: Tensor) -> dict[int, Tensor]:
        """The bias for weights of other scales."""
        if self._bias == ABSENT:
            return {}
        bias, x = self._graph.tensors[self._bias], self._graph.tensors[self._node.inputs[0]]
        assert bias.data is not None
        scales = np.array(weights.q.scales, np.float64) * np.float64(np.float32(x.q.scale))
        old = self._scales() * np.float64(np.float32(x.q.scale))
        whole = np.round(bias.data.astype(np.float64) * old / scales)
        own = tuple(float(s) for s in scales.astype(np.float32))
        quant = Quantization(own, (0,) * len(own), None if len(own) == 1 else 0)
        return {self._bias: replace(bias, data=whole.astype(bias.dtype.numpy), quant=quant)}

    def _corrected(self, errors: Doubles, made: dict[int, Tensor]) -> dict[int, Tensor]:
        """The bias without the mean of what `errors` of the weights add, where inputs are known."""
        if self._seen is None or self._bias == ABSENT or not self._bias_is_own:
            return made
        bias = made.get(self._bias, self._graph.tensors[self._bias])
        assert bias.data is not None
        means = np.repeat(self._seen.astype(np.float64).mean(axis=1), len(errors) // len(self._seen), axis=0)
        shift = (errors * means).sum(axis=1)
        if not self._is_float:
            shift = np.round(shift / np.float64(np.float32(self._graph.tensors[self._node.inputs[0]].q.scale)))
        data = bias.data.astype(np.float64) - shift
        if not self._is_float:
            most = min(bias.dtype.range[1], 1 << 62)  # doubles know no more of 64 bits
            data = np.clip(data, -most, most)
        return {**made, self._bias: replace(bias, data=data.astype(bias.dtype.numpy))}

    # --- result ------------------------------------------------------------------------------------------------------

    def _with_rows(self, rows: Doubles, quant: Quantization | None) -> Tensor:
        data = np.ascontiguousarray(rows.reshape(self._weights.shape).astype(self._weights.dtype.numpy))
        return replace(self._weights, data=data, quant=quant)

    def _change(self, weights: Tensor, bias: Mapping[int, Tensor]) -> LayerChange:
        assert weights.data is not None
        return LayerChange(
            index=self._index,
            op=self._node.op,
            weights=self._weights.name,
            values=len(distinct(weights.data)),
            before=self._weights.bytes,
            after=stored_bytes(weights.data),
            sqnr=sqnr(_reals(self._weights), _reals(weights)),
            tensors={self._node.inputs[1]: weights, **bias},
            with_data=self._seen is not None,
        )


def _reals(tensor: Tensor) -> Doubles:
    assert tensor.data is not None
    return tensor.data.astype(np.float64) if tensor.quant is None else real_values(tensor.data, tensor.quant)


def _nearest(rows: Doubles, tables: Sequence[Doubles]) -> Doubles:
    """Every row as values of its table."""
    whole = tables if len(tables) > 1 else [tables[0]] * len(rows)
    return np.stack([nearest_of(row, table) for row, table in zip(rows, whole, strict=True)])


def _of_tables(tables: Sequence[Doubles]) -> Rounding:
    """A weight of every row -> the nearest value of its table."""
    if len(tables) == 1:
        return partial(nearest_of, table=tables[0])
    most = max(map(len, tables))
    whole = np.stack([np.pad(table, (0, most - len(table)), mode="edge") for table in tables])

    def nearest_in(column: Doubles) -> Doubles:
        found: Doubles = whole[np.arange(len(whole)), np.abs(column[:, None] - whole).argmin(axis=1)]
        return found

    return nearest_in
