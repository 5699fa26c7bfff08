"""A network with weights in fewer bits: of all layers, or of those that a budget of flash needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.compression.activations import CompressionData, activations
from harness.compression.layer import LayerChange, compress_layer, is_compressible
from harness.compression.levels import CompressionError, CompressionLevel
from harness.compression.noise import EXACT_DB, open_reference
from harness.compression.sharing import Doubles
from harness.errors import GraphError
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph, Tensor
from harness.ir.operators import has
from harness.ir.operators.traits import Trait
from harness.passes.rewrite import with_tensors
from harness.quantization.few_bits import PAYS, stored_bytes
from harness.quantization.params import real_values
from harness.quantization.types import Array

MOST_JUDGED = 16
"""Vectors over which the error of each layer alone is measured, where a budget chooses among them."""

Progress = Callable[[str, int, int], None]
"""(what, done, total)."""


@dataclass(frozen=True, eq=False)
class CompressedModel:
    """A network with weights in fewer bits.

    Attributes:
        level: that was asked for.
        original: the network before.
        graph: after; its file has the weights decompressed, as every interpreter reads them.
        layers: the layers whose weights are in fewer bits.
        left: how many other layers with weights there are.
        weights_before, weights_after: bytes of all constants of layers with weights, after as indices and tables.
        data: what weights were found on; None without.
    """

    level: CompressionLevel
    original: Graph
    graph: Graph
    layers: tuple[LayerChange, ...]
    left: int
    weights_before: int
    weights_after: int
    data: CompressionData | None

    @property
    def note(self) -> str:
        """What was done, in a line for reports."""
        on = f", found on {len(self.data.indices)} vectors of {self.data.name}" if self.data else ", without data"
        return (
            f"compressed ({self.level.name}{on if self.level.changes else ''}): {len(self.layers)} of "
            f"{len(self.layers) + self.left} layers with weights, {self.weights_before:,} B of weights to "
            f"{self.weights_after:,} B"
        )


class Compressor:
    """Compresses one network by one level; finds every layer's weights once."""

    def __init__(
        self, graph: Graph, level: CompressionLevel, data: CompressionData | None, tell: Progress | None = None
    ) -> None:
        """Of a network as a frontend gives it.

        Raises:
            OracleError: the reference cannot run the network over the data.
        """
        self._graph, self._level, self._data = graph, level, data
        self._tell = tell or _silent
        self._places = [i for i in range(len(graph.nodes)) if is_compressible(graph, i)]
        self.changes = self._found() if level.changes else ()

    def _found(self) -> tuple[LayerChange, ...]:
        graph, made = self._graph, dict[int, LayerChange]()
        needed = sorted({graph.nodes[i].inputs[0] for i in self._places})
        seen = activations(graph, needed, self._data.vectors) if self._data is not None and needed else {}
        done: set[int] = set()
        for number, index in enumerate(self._places):
            self._tell("compress weights", number, len(self._places))
            weights = graph.nodes[index].inputs[1]
            if weights in done:
                continue
            done.add(weights)
            x = seen.get(graph.nodes[index].inputs[0])
            change = compress_layer(graph, index, self._level, x)  # type: ignore[arg-type]
            if change is not None:
                made[index] = change
        return tuple(made.values())

    def model(self, changes: Sequence[LayerChange] | None = None) -> CompressedModel:
        """The network with all changes, or some.

        Raises:
            CompressionError: the format of .tflite files has no form for the network.
        """
        changes = self.changes if changes is None else tuple(sorted(changes, key=lambda change: change.index))
        made = _rebuilt(self._graph, changes) if any(_differs(self._graph, c) for c in changes) else self._graph
        before, after = _weights(self._graph), _weights(made)
        layers = changes if self._level.changes else _lossless(self._graph)
        return CompressedModel(
            self._level,
            self._graph,
            made,
            tuple(layers),
            self._layers_with_weights() - len(layers),
            sum(tensor.bytes for tensor in before.values()),
            sum(stored_bytes(tensor.data) for tensor in after.values() if tensor.data is not None),
            self._data,
        )

    def _layers_with_weights(self) -> int:
        return sum(has(node, Trait.WEIGHTS) for node in self._graph.nodes)

    def in_order(self) -> list[LayerChange]:
        """The changes, first the one that adds the least error for each byte that it saves.

        The error is that of the outputs with this layer alone changed, over some of the data; without data that of the
        weights.
        """
        costs = self._measured() if self._data is not None else [10 ** (-c.sqnr / 10) for c in self.changes]
        pairs = sorted(zip(costs, self.changes, strict=True), key=lambda pair: (pair[0] / pair[1].saved, pair[1].index))
        return [change for _, change in pairs]

    def _measured(self) -> list[float]:
        """Noise over signal of the outputs, of each change alone."""
        assert self._data is not None
        vectors = self._data.vectors[:MOST_JUDGED]
        wanted = outputs_of(self._graph, vectors)
        found = []
        for number, change in enumerate(self.changes):
            self._tell("measure layers", number, len(self.changes))
            made = outputs_of(_rebuilt(self._graph, [change]), vectors)
            pairs = list(zip(wanted, made, strict=True))
            noise = sum(float(np.square(a - b).sum()) for a, b in pairs)
            found.append(noise / max(sum(float(np.square(a).sum()) for a, _ in pairs), 1e-30))
        return found

    def within(self, fits: Callable[[Graph], bool]) -> CompressedModel:
        """The network with the fewest changes that `fits`, by `in_order`; with all of them where none does."""
        ordered = self.in_order()
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            self._tell("fit in flash", low, high)
            if fits(self.model(ordered[:middle]).graph):
                high = middle
            else:
                low = middle + 1
        return self.model(ordered[:high])


def outputs_of(graph: Graph, vectors: Sequence[Sequence[Array]]) -> list[Doubles]:
    """Stacks of a network's outputs as real numbers, by the reference."""
    with open_reference(graph, isolated=True) as session:
        rows = [session.invoke(inputs).outputs for inputs in vectors]
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    tensors = [graph.tensors[t] for t in graph.outputs]
    return [
        column.astype(np.float64) if tensor.quant is None else real_values(column, tensor.quant)
        for tensor, column in zip(tensors, columns, strict=True)
    ]


def _differs(graph: Graph, change: LayerChange) -> bool:
    return any(tensor is not graph.tensors[t] for t, tensor in change.tensors.items())


def _rebuilt(graph: Graph, changes: Sequence[LayerChange]) -> Graph:
    """The graph of the file with other constants: what is compared is what is written."""
    tensors: dict[int, Tensor] = {}
    for change in changes:
        tensors |= change.tensors
    if graph.original:
        raise CompressionError(
            f"{graph.name}: its file is no .tflite, and what interpreters of it compute is not what is compressed",
            hint="make a .tflite of it first: tinyhil convert, or tinyhil quantize",
        )
    try:
        made = load(write(with_tensors(graph, tensors)), name=graph.name)
    except GraphError as error:
        raise CompressionError(
            f"{graph.name}: cannot be written with other weights: {error.message}", hint=error.hint
        ) from None
    return replace(made, labels=graph.labels, notes=graph.notes)


def _weights(graph: Graph) -> Mapping[int, Tensor]:
    """Constants of layers with weights, each once."""
    found = {node.inputs[1] for node in graph.nodes if has(node, Trait.WEIGHTS)}
    return {t: graph.tensors[t] for t in sorted(found) if graph.tensors[t].data is not None}


def _lossless(graph: Graph) -> tuple[LayerChange, ...]:
    """Layers whose weights are of few values as they are."""
    found = []
    for index, node in enumerate(graph.nodes):
        if not is_compressible(graph, index):
            continue
        tensor = graph.tensors[node.inputs[1]]
        assert tensor.data is not None
        after = stored_bytes(tensor.data)
        if after <= PAYS * tensor.bytes:
            values = len(np.unique(tensor.data))
            found.append(LayerChange(index, node.op, tensor.name, values, tensor.bytes, after, EXACT_DB, {}, False))
    return tuple(found)


def _silent(what: str, done: int, total: int) -> None:
    pass
