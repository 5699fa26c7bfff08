"""What Vela leaves out of a file: what its operators hand to each other in the arena, and shapes.

Vela lists as operands what CPU operators touch; what one of its operators leaves in the arena for the next it may not
list, though its layout keeps the bytes free for as long. Found by following which bytes each command stream asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
import numpy.typing as npt

from harness.errors import ModelFileError
from harness.ir.graph import ArenaPlace, Graph, NoAttrs, Node, Tensor
from harness.ir.operators import has
from harness.ir.operators.ethos_u import EthosUAttrs
from harness.ir.operators.tflite import damaged
from harness.ir.operators.traits import Trait
from harness.ir.verifier import verify
from harness.quantization.types import DType

_NOBODY = -1

Owners = npt.NDArray[np.int64]


def verified(graph: Graph, place: str) -> Graph:
    """A Graph that the verifier has seen, and where Vela made the file without gaps.

    Raises:
        GraphError: it breaks a rule.
        ModelFileError, CommandStreamError: see with_carried.
    """
    if not any(has(node, Trait.PLACED) for node in graph.nodes):
        verify(graph)
        return graph
    graph = with_reshapes(graph)
    verify(graph)  # places lie inside of their regions
    graph = with_carried(graph, place)
    verify(graph)
    return graph


def with_reshapes(graph: Graph) -> Graph:
    """The graph in which elementwise operators write the shape that they read.

    Vela takes a RESHAPE beside an operator of the CPU out and leaves the shapes as they were: runtimes do not look.
    """
    tensors, nodes = list(graph.tensors), list[Node]()
    for node in graph.nodes:
        shapes = [tensors[t].shape for t in (*node.inputs, *node.outputs)]
        if has(node, Trait.ELEMENTWISE) and shapes[0] != shapes[-1] and prod(shapes[0]) == prod(shapes[-1]):
            x = node.inputs[0]
            tensors.append(replace(tensors[x], shape=shapes[-1], source=None))
            nodes.append(Node("RESHAPE", (x,), (len(tensors) - 1,), NoAttrs()))
            node = replace(node, inputs=(len(tensors) - 1, *node.inputs[1:]))
        nodes.append(node)
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))


def with_carried(graph: Graph, place: str) -> Graph:
    """The graph in which every operator on the NPU has all that it reads among its inputs and states.

    Raises:
        ModelFileError: an operator reads bytes of the arena that nothing writes, or overwrites what is read later.
        CommandStreamError: a stream is damaged.
    """
    return _Follower(graph, place).followed()


@dataclass
class _Follower:
    """Goes through the operators in order, and keeps whose each byte of the arena is.

    Attributes:
        owners: of every block, byte by byte: a tensor, behind these an operator that wrote it; _NOBODY, or a state
            below it.
    """

    graph: Graph
    place: str
    tensors: list[Tensor] = field(init=False)
    nodes: list[Node] = field(init=False)
    owners: dict[int, Owners] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tensors, self.nodes = list(self.graph.tensors), list(self.graph.nodes)
        for node in self.graph.nodes:
            for block, size in node.attrs.regions if isinstance(node.attrs, EthosUAttrs) else ():
                known = self.owners.get(block, np.zeros(0, np.int64))
                self.owners[block] = np.full(max(size, len(known)), _NOBODY, np.int64)

    def followed(self) -> Graph:
        """The graph with the tensors that were missing."""
        for t in self.graph.inputs:
            self._own(t)
        self._own_states(range(len(self.graph.states)))
        for number, node in enumerate(self.graph.nodes):
            self._held(node.inputs, node.states, f"operator {node.sources[0] if node.sources else number} ({node.op})")
            if isinstance(node.attrs, EthosUAttrs):
                self._npu(number, node.attrs)
                self._own_states(node.states)
            for t in node.outputs:
                self._own(t)
        self._held(self.graph.outputs, range(len(self.graph.states)), "the end")
        return replace(self.graph, tensors=tuple(self.tensors), nodes=tuple(self.nodes))

    def _own(self, t: int) -> None:
        where = self.graph.places().get(t)
        if where is not None:
            self.owners[where.block][where.offset : where.offset + self.tensors[t].bytes] = t

    def _own_states(self, states: Iterable[int]) -> None:
        for i in states:
            where = self.graph.state_places().get(i)
            if where is not None:
                size = self.graph.states[i].bytes
                self.owners[where.block][where.offset : where.offset + size] = _NOBODY - 1 - i

    def _held(self, tensors: Iterable[int], states: Iterable[int], by: str) -> None:
        """Checks that tensors and states have still the bytes that were written."""
        known, places = self.tensors, self.graph.places()
        placed = [(places.get(t), t, known[t].name, known[t].bytes) for t in tensors if t >= 0]
        for i in states:
            state = self.graph.states[i]
            placed.append((self.graph.state_places().get(i), _NOBODY - 1 - i, state.name, state.bytes))
        for where, owner, name, size in placed:
            if where is None:
                continue
            found = self.owners[where.block][where.offset : where.offset + size]
            if (found != owner).any():
                raise damaged(f"{self.place}: '{name}' is overwritten in the arena before {by} reads it")

    def _npu(self, number: int, attrs: EthosUAttrs) -> None:
        footprint = attrs.footprint
        node = self.nodes[number]
        count = len(node.inputs)
        sizes = [self.tensors[t].bytes for t in node.inputs]
        kept = attrs.tensors[count + len(node.outputs) :]
        sizes += [self.graph.states[i].bytes for i in node.states]
        missing = {block: footprint.asked[block] != 0 for block, _ in attrs.regions}
        for t in node.outputs:  # what it does not write of them is as it was
            where = self.graph.places()[t]
            end = where.offset + self.tensors[t].bytes
            missing[where.block][where.offset : end] |= footprint.written[where.block][where.offset : end] == 0
        for where, size in zip((*attrs.tensors[:count], *kept), sizes, strict=True):
            missing[where.block][where.offset : where.offset + size] = False
        for block, asked in missing.items():
            for start, stop, owner in _runs(asked, self.owners[block]):
                self._carry(number, ArenaPlace(block, start), stop - start, owner)
        for block, _ in attrs.regions:
            written = footprint.written[block] != 0
            self.owners[block][: len(written)][written] = len(self.graph.tensors) + number

    def _carry(self, number: int, where: ArenaPlace, size: int, owner: int) -> None:
        """Makes bytes an input of a node, and an output of the one that left them."""
        writer = owner - len(self.graph.tensors)
        if owner == _NOBODY:
            raise ModelFileError(
                f"{self.place}: operator {self.nodes[number].sources[0]} needs bytes {where.offset} to "
                f"{where.offset + size - 1} of region {where.block}, which nothing has written",
                hint="the file is damaged, or Vela compiled an operator wrongly, as it does some MIRROR_PAD",
            )
        if writer < 0:
            self._add(number, owner, self.graph.places()[owner], output=False)
            return
        name = f"bytes {where.offset} to {where.offset + size - 1} of region {where.block}"
        self.tensors.append(Tensor(name, (size,), DType.UINT8))
        self._add(writer, len(self.tensors) - 1, where, output=True)
        self._add(number, len(self.tensors) - 1, where, output=False)

    def _add(self, number: int, tensor: int, where: ArenaPlace, *, output: bool) -> None:
        node = self.nodes[number]
        attrs, reads = node.attrs, len(node.inputs)
        assert isinstance(attrs, EthosUAttrs)
        at = reads + len(node.outputs) if output else reads
        places = (*attrs.tensors[:at], where, *attrs.tensors[at:])
        operands = node.outputs if output else node.inputs
        if tensor in operands:
            return
        changed = replace(node, attrs=replace(attrs, tensors=places))
        more = (*operands, tensor)
        self.nodes[number] = replace(changed, outputs=more) if output else replace(changed, inputs=more)


def _runs(asked: npt.NDArray[np.bool_], owners: Owners) -> Iterator[tuple[int, int, int]]:
    """(first byte, byte after the last, owner) of each stretch of bytes asked for that one has written."""
    marked = np.where(asked, owners[: len(asked)], _NOBODY - 1)
    ends = np.flatnonzero(np.diff(marked)) + 1
    for start, stop in zip((0, *ends), (*ends, len(marked)), strict=True):
        if asked[start]:
            yield int(start), int(stop), int(marked[start])
