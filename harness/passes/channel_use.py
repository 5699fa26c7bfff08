"""Which channels every tensor has to keep: a fixed point of sets that only grow.

An operator needs a channel that it reads unless all its weights for it are zero, or the channel is constant and adds
the same to every sum, which the bias can take over. Operators that treat channels alike have the same channels in
input and output. The sets begin with the channels of the graph's inputs and outputs, and grow until every operator
has what it needs: the smallest such sets. They are then rounded up to whole granules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush

import numpy as np

from harness.ir.graph import Graph, Node
from harness.ir.operators import has
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.traits import Trait
from harness.ir.window import ConvAttrs, PoolAttrs
from harness.passes.channel_values import (
    Known,
    Mask,
    channels_of,
    is_narrow,
    keeps_channels,
    slices_channels,
    weighing,
)

GRANULE = 4
"""Kept channels are a multiple of this where a tensor has as many: pixels then begin at word boundaries, and kernels
that take four channels at a time have no remainder, which costs less time than the channels save."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Kept channels: a mask per activation by tensor id, and one per state."""

    tensors: dict[int, Mask]
    states: list[Mask]

    @property
    def everything(self) -> bool:
        """Whether every channel is kept."""
        return all(m.all() for m in (*self.tensors.values(), *self.states))


def kept_channels(graph: Graph, known: Mapping[int, Known]) -> Kept:
    """The smallest sets of whole granules of channels with which the graph computes the same outputs."""
    alive = {t for node in graph.nodes for t in (*node.inputs, *node.outputs) if t >= 0} | set(graph.inputs)
    masks = {t: np.zeros(channels_of(graph, t), bool) for t in alive if graph.tensors[t].data is None}
    states = [np.zeros(s.initial.shape[-1] if s.initial.shape else 1, bool) for s in graph.states]
    kept = Kept(masks, states)
    for t in (*graph.inputs, *graph.outputs):
        if t in masks:
            masks[t][:] = True
    growth = _Growth(graph, known, kept)
    growth.settle(range(len(graph.nodes)))
    growth.fill()
    for mask in kept.states:
        mask[:] |= not mask.any()  # it is never read or assigned
    return kept


class _Growth:
    """Lets the sets grow until every operator has what it needs; looks again only at operators beside a set that grew.

    The smallest sets do not depend on the order in which operators are looked at.
    """

    def __init__(self, graph: Graph, known: Mapping[int, Known], kept: Kept) -> None:
        self._graph = graph
        self._kept = kept
        self._sums = [_Sums(graph, node, known) for node in graph.nodes]
        self._tensors = list(kept.tensors)
        self._place = {t: place for place, t in enumerate(self._tensors)}
        self._beside: dict[int, list[int]] = {t: [] for t in self._tensors}
        self._beside_state: list[list[int]] = [[] for _ in kept.states]
        for index, node in enumerate(graph.nodes):
            for t in {*node.inputs, *node.outputs} & self._beside.keys():
                self._beside[t].append(index)
            for state in set(node.states):
                self._beside_state[state].append(index)
        self._unfilled = list(range(len(self._tensors)))  # a heap of the places of tensors to round up
        self.visits = 0

    def settle(self, nodes: Iterable[int]) -> None:
        """Gives `nodes` and all that follows from them what they need, those at the end first."""
        heap = [-index for index in nodes]
        heapify(heap)
        waiting = set(heap)
        while heap:
            number = heappop(heap)
            waiting.remove(number)
            for index in self._grown(-number):
                if -index not in waiting:
                    waiting.add(-index)
                    heappush(heap, -index)

    def _grown(self, index: int) -> Iterable[int]:
        """Looks at one operator; the operators beside the sets that it made grow."""
        node, kept = self._graph.nodes[index], self._kept
        self.visits += 1
        tensors = {*node.inputs, *node.outputs} & self._beside.keys()
        before = {t: np.count_nonzero(kept.tensors[t]) for t in tensors}
        held = {i: np.count_nonzero(kept.states[i]) for i in node.states}
        _need(self._graph, node, self._sums[index], kept)
        found: set[int] = set()
        for t, count in before.items():
            if np.count_nonzero(kept.tensors[t]) != count:
                heappush(self._unfilled, self._place[t])
                found.update(self._beside[t])
        for i, count in held.items():
            if np.count_nonzero(kept.states[i]) != count:
                found.update(self._beside_state[i])
        return found

    def fill(self) -> None:
        """Rounds up to whole granules, at least one: the first tensor that has to be, what follows, and so on."""
        while self._unfilled:
            tensor = self._tensors[heappop(self._unfilled)]
            mask = self._kept.tensors[tensor]
            missing = -(-max(int(mask.sum()), 1) // GRANULE) * GRANULE - int(mask.sum())
            spare = np.flatnonzero(~mask)[:missing]
            if len(spare):
                mask[spare] = True
                self.settle(self._beside[tensor])


@dataclass(frozen=True, eq=False)
class _Sums:
    """Which channels the sums of an operator with weights need; worked out once, where it is asked for."""

    graph: Graph
    node: Node
    known: Mapping[int, Known]

    @cached_property
    def needed(self) -> Mask:
        """[output, column of the weights]."""
        found = weighing(self.graph, self.node, self.known[self.node.inputs[0]])
        mask: Mask = ~(found.unused() | found.steady())
        return mask


def _need(graph: Graph, node: Node, sums: _Sums, kept: Kept) -> None:
    """Adds the channels that one operator needs."""
    masks, attrs = kept.tensors, node.attrs
    last = len(graph.tensors[node.inputs[0]].shape) - 1 if node.inputs else 0
    if has(node, Trait.COPIES_STATE):
        state = kept.states[node.states[0]]
        # Constants are not cut, neither one that is assigned nor one that replaced what is read.
        state[:] |= any(t not in masks for t in (*node.inputs, *node.outputs))
        _alike(state, *(masks[t] for t in (*node.inputs, *node.outputs) if t in masks))
    elif not is_narrow(graph, node):
        _all(kept, node)
    elif isinstance(attrs, FullyConnectedAttrs) or _ungrouped(graph, node):
        _weighted(graph, node, sums, kept)
    elif has(node, Trait.CHANNELS_APART):
        _repeated(masks[node.inputs[0]], masks[node.outputs[0]], adjacent=True)
    elif has(node, Trait.SAME_BYTES):
        _reshaped(graph, node, kept)
    elif isinstance(attrs, BinaryAttrs):
        _combined(graph, node, kept)
    elif isinstance(attrs, ConcatAttrs):
        _split(graph, kept, node.outputs[0], node.inputs, along=attrs.axis == last)
    elif isinstance(attrs, SplitAttrs):
        _split(graph, kept, node.inputs[0], node.outputs, along=attrs.axis == last)
    elif isinstance(attrs, SliceAttrs) and slices_channels(graph, node) and attrs.strides[-1] == 1:
        start = attrs.begin[-1]
        _alike(masks[node.inputs[0]][start : start + attrs.counts[-1]], masks[node.outputs[0]])
    elif (
        isinstance(attrs, PoolAttrs)
        or has(node, Trait.ELEMENTWISE)
        or keeps_channels(graph, node)
        or (isinstance(attrs, PadAttrs) and attrs.paddings[-1] == (0, 0))
    ):
        _alike(masks[node.inputs[0]], masks[node.outputs[0]])
    else:
        _all(kept, node)


def _ungrouped(graph: Graph, node: Node) -> bool:
    if not isinstance(node.attrs, ConvAttrs) or has(node, Trait.CHANNELS_APART):
        return False
    x, w = (graph.tensors[t] for t in node.inputs[:2])
    return x.shape[-1] == w.shape[-1]


def _all(kept: Kept, node: Node) -> None:
    for t in (*node.inputs, *node.outputs):
        if t in kept.tensors:
            kept.tensors[t][:] = True
    for i in node.states:
        kept.states[i][:] = True


def _alike(*masks: Mask) -> None:
    """Makes the masks equal: their union."""
    union = np.any(masks, axis=0)
    for mask in masks:
        mask |= union


def _repeated(one: Mask, many: Mask, *, adjacent: bool) -> None:
    """`many` has each channel of `one` several times: next to each other, or the whole of `one` repeated."""
    shape = (len(one), -1) if adjacent else (-1, len(one))
    axis = 1 if adjacent else 0
    one |= many.reshape(shape).any(axis=axis)
    times = len(many) // len(one)
    many |= np.repeat(one, times) if adjacent else np.tile(one, times)


def _weighted(graph: Graph, node: Node, sums: _Sums, kept: Kept) -> None:
    """CONV_2D without groups and FULLY_CONNECTED: outputs are independent; inputs that the bias can replace go."""
    x = node.inputs[0]
    channels = channels_of(graph, x)
    needed: Mask = np.asarray(sums.needed[kept.tensors[node.outputs[0]]].any(axis=0))
    if len(needed) % channels:
        kept.tensors[x][:] = True
    else:
        kept.tensors[x] |= needed.reshape(-1, channels).any(axis=0)


def _reshaped(graph: Graph, node: Node, kept: Kept) -> None:
    x, y = node.inputs[0], node.outputs[0]
    if x not in kept.tensors:
        _all(kept, node)
        return
    before, after = kept.tensors[x], kept.tensors[y]
    if len(after) % len(before) == 0:
        _repeated(before, after, adjacent=False)
    elif len(before) % len(after) == 0:
        _repeated(after, before, adjacent=False)
    else:
        _all(kept, node)


def _combined(graph: Graph, node: Node, kept: Kept) -> None:
    """ADD and MUL: operands of one channel are broadcast; constant operands are cut as the output is."""
    size = channels_of(graph, node.outputs[0])
    masks = [kept.tensors[t] for t in (*node.inputs, *node.outputs) if t in kept.tensors]
    _alike(*(mask for mask in masks if len(mask) == size))


def _split(graph: Graph, kept: Kept, whole: int, parts: tuple[int, ...], *, along: bool) -> None:
    """Parts of a tensor along the channels or another dimension; constant parts have no mask."""
    start = 0
    for part in parts:
        end = start + channels_of(graph, part) if along else len(kept.tensors[whole])
        if part in kept.tensors:
            _alike(kept.tensors[whole][start:end], kept.tensors[part])
        start = end if along else 0
