"""Removes channels from a graph: from tensors and weights; what constant channels add to sums goes into the biases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.ir.graph import ABSENT, Graph, Node, State, Tensor
from harness.ir.operators import has
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.traits import Trait
from harness.ir.weights import channel_bias
from harness.ir.window import ConvAttrs
from harness.passes.channel_use import Kept
from harness.passes.channel_values import Ints, Known, Mask, channels_of, slices_channels, weighing
from harness.quantization.types import Array, DType, Quantization


def cut_channels(graph: Graph, known: Mapping[int, Known], kept: Kept) -> Graph:
    """The graph with only the `kept` channels; `known` and `kept` are of this graph."""
    return _Cut(graph, known, kept).graph()


class _Cut:
    def __init__(self, graph: Graph, known: Mapping[int, Known], kept: Kept) -> None:
        self._before = graph
        self._known = known
        self._kept = kept
        self._tensors: list[Tensor] = [
            _narrowed(tensor, kept.tensors[t]) if t in kept.tensors else tensor
            for t, tensor in enumerate(graph.tensors)
        ]

    def graph(self) -> Graph:
        """The rewritten graph."""
        before = self._before
        nodes = tuple(self._node(node) for node in before.nodes)
        states = tuple(_state(s, m) for s, m in zip(before.states, self._kept.states, strict=True))
        return replace(before, tensors=tuple(self._tensors), nodes=nodes, states=states)

    def _node(self, node: Node) -> Node:
        if has(node, Trait.WEIGHTS):
            return self._weighted(node)
        attrs = node.attrs
        if isinstance(attrs, BinaryAttrs):
            return replace(node, inputs=tuple(self._operand(t, self._of(node.outputs[0])) for t in node.inputs))
        if isinstance(attrs, ConcatAttrs):
            return replace(node, inputs=self._parts(node, attrs))
        if isinstance(attrs, SliceAttrs):
            return replace(node, attrs=self._slice(node, attrs))
        return node

    def _of(self, tensor: int) -> Mask:
        return self._kept.tensors[tensor]

    def _constant(self, tensor: Tensor, data: Array, quant: Quantization | None) -> int:
        self._tensors.append(replace(tensor, shape=data.shape, data=_frozen(data), quant=quant))
        return len(self._tensors) - 1

    def _operand(self, tensor: int, mask: Mask) -> int:
        """Id of an operand with only the channels in `mask`: a constant is cut here, other tensors are cut already."""
        old = self._before.tensors[tensor]
        if old.data is None or mask.all() or channels_of(self._before, tensor) != len(mask):
            return tensor
        return self._constant(old, old.data[..., mask], old.quant)

    def _parts(self, node: Node, attrs: ConcatAttrs) -> tuple[int, ...]:
        whole = self._of(node.outputs[0])
        if attrs.axis != len(self._before.tensors[node.outputs[0]].shape) - 1:
            return tuple(self._operand(t, whole) for t in node.inputs)
        found, start = [], 0
        for t in node.inputs:
            mask = whole[start : start + channels_of(self._before, t)]
            start += len(mask)
            if mask.any():
                found.append(self._operand(t, mask))
        return tuple(found)

    def _slice(self, node: Node, attrs: SliceAttrs) -> SliceAttrs:
        mask = self._of(node.inputs[0])
        if mask.all() or not slices_channels(self._before, node):
            return attrs
        start, count = attrs.begin[-1], attrs.counts[-1]
        inside = int(mask[start : start + count].sum())
        return replace(attrs, begin=(*attrs.begin[:-1], int(mask[:start].sum())), counts=(*attrs.counts[:-1], inside))

    def _weighted(self, node: Node) -> Node:
        x, w, y = node.inputs[0], node.inputs[1], node.outputs[0]
        inputs, outputs = self._of(x), self._of(y)
        apart = has(node, Trait.CHANNELS_APART)
        convolution = isinstance(node.attrs, ConvAttrs) and not apart
        grouped = convolution and len(inputs) != self._before.tensors[w].shape[-1]
        if (inputs.all() and outputs.all()) or grouped:
            return node
        weights = self._before.tensors[w]
        data = weights.data
        assert data is not None, "the verifier requires constant weights"
        if apart:
            new_w = self._constant(weights, data[..., outputs], _scales(weights.quant, outputs))
            return replace(node, inputs=(x, new_w, *self._bias(node, outputs, None)))
        columns = np.tile(inputs, data.shape[-1] // len(inputs))
        new_w = self._constant(weights, data[outputs][..., columns], _scales(weights.quant, outputs))
        found = weighing(self._before, node, self._known[x])
        folded = np.where(found.steady() & ~found.unused() & ~columns[found.channel], found.sums(), 0).sum(axis=1)
        return replace(node, inputs=(x, new_w, *self._bias(node, outputs, folded)))

    def _bias(self, node: Node, outputs: Mask, folded: Ints | None) -> tuple[int, ...]:
        """The bias of the kept outputs plus what removed inputs added to their sums, modulo 2**32 as the sums are."""
        absent = len(node.inputs) < 3 or node.inputs[2] == ABSENT
        if absent and (folded is None or not folded[outputs].any()):
            return node.inputs[2:]
        total = channel_bias(self._before, node) + (0 if folded is None else folded)
        data = (total & 0xFFFFFFFF).astype(np.uint32).view(np.int32)[outputs]
        if absent:
            name = f"{self._before.tensors[node.outputs[0]].name}/constant_channels"
            return (self._constant(Tensor(name, (1,), DType.INT32), data, None),)
        old = self._before.tensors[node.inputs[2]]
        return (self._constant(old, data, _scales(old.quant, outputs)),)


def _scales(quant: Quantization | None, mask: Mask) -> Quantization | None:
    """The quantization of the channels in `mask`."""
    if quant is None or not quant.per_channel:
        return quant
    chosen = np.flatnonzero(mask)
    scales = tuple(quant.scales[i] for i in chosen)
    return replace(quant, scales=scales, zero_points=tuple(quant.zero_points[i] for i in chosen))


def _narrowed(tensor: Tensor, mask: Mask) -> Tensor:
    if mask.all():
        return tensor
    names: Sequence[int] = tensor.kept if tensor.kept is not None else range(len(mask))
    kept = tuple(names[i] for i in np.flatnonzero(mask).tolist())
    return replace(tensor, shape=(*tensor.shape[:-1], len(kept)), kept=kept)


def _state(state: State, mask: Mask) -> State:
    return state if mask.all() else replace(state, initial=_frozen(state.initial[..., mask]))


def _frozen(data: Array) -> Array:
    made = np.ascontiguousarray(data)
    made.setflags(write=False)
    return made
