"""Buffer aliases: tensors that share the bytes of others, and operators that are elided since they compute nothing.

A RESHAPE has the bytes of its input; a variable may be read in place; outputs of SPLIT and STRIDED_SLICE that are
contiguous are parts of the input; a CONCATENATION along the outermost dimension is elided where all its inputs, among
them the variable of a ring buffer, can be written in their places in the output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

from harness.ir.graph import Graph, Node
from harness.ir.operators import has
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.traits import Trait

WORD = 4
"""Alignment in bytes of parts that kernels read, since kernels may load words."""

Key: TypeAlias = int | str
"""What has bytes: a tensor id, or "state N" for a state."""


def state_key(number: int) -> str:
    """The key of state `number`."""
    return f"state {number}"


@dataclass(frozen=True)
class InPlaceConcat:
    """A concatenation `whole` whose `parts` are written in place, and kept until the last of them is written."""

    whole: Key
    parts: tuple[Key, ...]


@dataclass(frozen=True)
class Aliases:
    """Which tensors and variables share bytes.

    Attributes:
        same: tensor id -> key of what has the same bytes.
        part: key -> (key of the whole, offset in it in bytes).
        concats: concatenations whose inputs are written in place.
        elided: indices of the nodes that need no code.
    """

    same: Mapping[int, Key] = field(default_factory=dict)
    part: Mapping[Key, tuple[Key, int]] = field(default_factory=dict)
    concats: tuple[InPlaceConcat, ...] = ()
    elided: frozenset[int] = frozenset()

    def bytes_of(self, tensor: int) -> Key:
        """The key of a tensor's bytes."""
        found: Key = tensor
        while isinstance(found, int) and found in self.same:
            found = self.same[found]
        return found

    def place_of(self, key: Key) -> tuple[Key, int]:
        """The outermost whole that has these bytes, and their offset in it in bytes."""
        at = 0
        while key in self.part:
            key, offset = self.part[key]
            at += offset
        return key, at


def find_aliases(graph: Graph) -> Aliases:
    """The aliases of a graph whose nodes run in order; greedy, in that order."""
    return _Finder(graph).aliases()


class _Finder:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._same: dict[int, Key] = {}
        self._part: dict[Key, tuple[Key, int]] = {}
        self._concats: list[InPlaceConcat] = []
        self._elided: set[int] = set()

    def aliases(self) -> Aliases:
        """The aliases of the whole graph."""
        for index, node in enumerate(self._graph.nodes):
            if self._is_elided(index, node):
                self._elided.add(index)
        return Aliases(self._same, self._part, tuple(self._concats), frozenset(self._elided))

    def _is_elided(self, index: int, node: Node) -> bool:
        """Whether the node needs no layer; if so, records where its outputs are."""
        attrs = node.attrs
        if not self._graph.places().keys().isdisjoint((*node.inputs, *node.outputs)):
            return False  # they have bytes of their own, for as long as the model says
        constant = any(self._graph.tensors[t].data is not None for t in node.inputs)
        if has(node, Trait.SAME_BYTES) and not constant:
            self._same[node.outputs[0]] = node.inputs[0]
            return True
        if has(node, Trait.COPIES_STATE) and has(node, Trait.READS_STATE):
            if self._outlived(node.outputs[0], node.states[0], index):
                return False
            self._same[node.outputs[0]] = state_key(node.states[0])
            return True
        if isinstance(attrs, SplitAttrs | SliceAttrs) and not constant:
            ranges = list(_ranges(self._graph, node))
            if len(ranges) != len(node.outputs):
                return False
            if any(at % WORD and not self._only_assigned(t) for t, at in zip(node.outputs, ranges, strict=True)):
                return False
            self._part.update({t: (self._key(node.inputs[0]), at) for t, at in zip(node.outputs, ranges, strict=True)})
            return True
        return isinstance(attrs, ConcatAttrs) and not constant and self._joined(index, node, attrs)

    def _only_assigned(self, tensor: int) -> bool:
        """Whether only assignments read the tensor: they copy bytes, and need no alignment."""
        readers = self._graph.consumers().get(tensor, [])
        return tensor not in self._graph.outputs and all(assigns(self._graph.nodes[i]) for i in readers)

    def _joined(self, index: int, node: Node, attrs: ConcatAttrs) -> bool:
        tensors = self._graph.tensors
        whole = node.outputs[0]
        if prod(tensors[whole].shape[: attrs.axis]) != 1 or attrs.clamp != tensors[whole].dtype.range:
            return False
        keys = [self._key(t) for t in node.inputs]
        if len(set(keys)) != len(keys):
            return False
        places, at = [], 0
        for key, tensor in zip(keys, node.inputs, strict=True):
            state = int(key.split()[1]) if isinstance(key, str) else None
            taken = key in self._part or self._size(key) != tensors[tensor].bytes
            if taken or at % WORD or (state is not None and self._outlived(whole, state, index)):
                return False
            places.append(at)
            at += tensors[tensor].bytes
        self._part.update({key: (whole, at) for key, at in zip(keys, places, strict=True)})
        self._concats.append(InPlaceConcat(whole, tuple(keys)))
        return True

    def _key(self, tensor: int) -> Key:
        return Aliases(self._same).bytes_of(tensor)

    def _size(self, key: Key) -> int:
        if isinstance(key, str):
            return self._graph.states[int(key.split()[1])].bytes
        return self._graph.tensors[key].bytes

    def _outlived(self, tensor: int, state: int, after: int) -> bool:
        """Whether `tensor`, which would share the bytes of variable `state`, is read after the next change of it.

        An assignment reads before it writes.
        """
        change = self._next_change(state, after)
        nodes = self._graph.nodes
        return last_use(self._graph, tensor) >= change + (change < len(nodes) and assigns(nodes[change]))

    def _next_change(self, state: int, after: int) -> int:
        for index in range(after + 1, len(self._graph.nodes)):
            node = self._graph.nodes[index]
            if has(node, Trait.WRITES_STATE) and state in node.states:
                return index
        return len(self._graph.nodes)


def assigns(node: Node) -> bool:
    """Whether a node copies its input to a variable, and does nothing else."""
    return has(node, Trait.COPIES_STATE) and has(node, Trait.WRITES_STATE)


def last_use(graph: Graph, tensor: int) -> int:
    """Index of the last node that reads `tensor`'s bytes, directly or through a tensor that may share them.

    len(nodes) for an output of the graph, -1 where none reads them.
    """
    last = -1
    seen, todo = {tensor}, [tensor]
    while todo:
        current = todo.pop()
        if current in graph.outputs:
            return len(graph.nodes)
        for index in graph.consumers().get(current, []):
            node = graph.nodes[index]
            last = max(last, index)
            if has(node, Trait.SAME_BYTES) or isinstance(node.attrs, SplitAttrs | SliceAttrs | ConcatAttrs):
                todo += [t for t in node.outputs if t not in seen]
                seen.update(node.outputs)
    return last


def _ranges(graph: Graph, node: Node) -> Iterator[int]:
    """Offset in bytes of each output in the input; nothing where outputs are not contiguous there."""
    x, attrs = graph.tensors[node.inputs[0]], node.attrs
    if isinstance(attrs, SplitAttrs):
        if prod(x.shape[: attrs.axis]) == 1:
            at = 0
            for t in node.outputs:
                yield at
                at += graph.tensors[t].bytes
        return
    assert isinstance(attrs, SliceAttrs)
    if _is_contiguous(x.shape, attrs):
        step, first = x.dtype.size, 0
        for begin, size in zip(reversed(attrs.begin), reversed(x.shape), strict=True):
            first += begin * step
            step *= size
        yield first


def _is_contiguous(shape: Sequence[int], attrs: SliceAttrs) -> bool:
    """Whether a slice is contiguous: one index of outer dimensions, a range of one, all of the inner dimensions."""
    whole = True
    for size, stride, count in zip(reversed(shape), reversed(attrs.strides), reversed(attrs.counts), strict=True):
        if not whole and count != 1:
            return False
        if stride != 1 and count != 1:
            return False
        whole = whole and count == size
    return True
