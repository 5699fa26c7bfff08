"""A run of nodes in rows: what all computations of it with so many rows an iteration have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from harness.compiler.fusion.rows import NodeRows, row_bytes, slice_rows
from harness.compiler.fusion.schedule import ComputeRows, MoveRows, RowSchedule, schedule_rows
from harness.hardware.target import Target
from harness.ir.graph import Graph, Node
from harness.kernels.context import Context

CALL = 40
"""Expected instructions of a call besides the kernel's own."""

MOVED_WORD = 2.5
"""Expected instructions to move a word of four bytes."""

PartKey = tuple[int, ...]
"""Equal for two parts of a run that have the same shape: node, numbers of rows, and the place if there is padding."""


@dataclass(frozen=True, eq=False)
class RowRun:
    """Nodes computed together, `rows` rows of the last one's output an iteration.

    Attributes:
        graph: that the nodes are of.
        nodes: in order, each but the last read by later ones alone.
        in_rows: the nodes as rows.
        rows: output rows of the last node an iteration; where it is a mean over the image, input rows.
        narrow: no node computes more than so many rows at once.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    in_rows: tuple[NodeRows, ...]
    rows: int
    narrow: bool = False

    @cached_property
    def schedule(self) -> RowSchedule:
        """The order of the rows."""
        return schedule_rows(self.in_rows, self.rows, narrow=self.narrow)

    @cached_property
    def buffer_bytes(self) -> dict[int, int]:
        """Bytes of the row buffer of each tensor between the nodes."""
        return {y: rows * row_bytes(self.graph.tensors[y]) for y, rows in self.schedule.buffer_rows.items()}

    @cached_property
    def kept_bytes(self) -> int:
        """Bytes of row buffers that are kept from one iteration to the next."""
        return sum(self.buffer_bytes[y] for y in self.schedule.carried)

    @cached_property
    def passing_bytes(self) -> tuple[int, ...]:
        """By node half of the bytes of its other row buffers, the least that they take if one lies over the other."""
        passing = self.buffer_bytes.keys() - self.schedule.carried
        return tuple(
            sum(self.buffer_bytes[t] for t in {*node.inputs, node.output} & passing) // 2 for node in self.in_rows
        )

    @cached_property
    def overhead(self) -> float:
        """Expected instructions between the kernels: calls, and rows that are moved."""
        steps = [step for iteration in self.schedule.iterations for step in iteration]
        moves = (step for step in steps if isinstance(step, MoveRows))
        moved = sum(move.rows * row_bytes(self.graph.tensors[move.tensor]) for move in moves)
        return CALL * len(steps) + MOVED_WORD * moved / 4

    @cached_property
    def inner(self) -> frozenset[int]:
        """Tensors between the nodes."""
        return frozenset(node.output for node in self.in_rows[:-1])

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Tensors that are read from outside, constants left out."""
        read = (t for node in self.in_rows for t in node.inputs)
        return tuple(dict.fromkeys(t for t in read if t not in self.inner))

    @cached_property
    def readers(self) -> dict[int, list[int]]:
        """By tensor between the nodes, the numbers of the nodes that read it, ascending."""
        return {t: [i for i, node in enumerate(self.in_rows) if t in node.inputs] for t in self.inner}

    @cached_property
    def parts(self) -> tuple[tuple[ComputeRows, PartKey], ...]:
        """Every step that computes rows, in order, and the key of its part."""
        return tuple((step, self.key_of(step)) for step in self._computes())

    @cached_property
    def first_of_parts(self) -> dict[PartKey, ComputeRows]:
        """The first step of each part, by its key."""
        return {key: step for step, key in reversed(self.parts)}

    @cached_property
    def times(self) -> Counter[PartKey]:
        """How often each part is computed."""
        return Counter(key for _, key in self.parts)

    def key_of(self, step: ComputeRows) -> PartKey:
        """The key of a step's part."""
        node = self.in_rows[step.number]
        first, end = node.needed(step.first, step.end)
        at_top = step.first if first == 0 else -1
        at_bottom = step.end if end == self.graph.tensors[node.inputs[0]].shape[1] else -1
        return step.number, step.end - step.first, end - first, at_top, at_bottom

    def part(self, step: ComputeRows, target: Target) -> Context:
        """A step's rows as a layer of their own."""
        graph, node = slice_rows(self.graph, self.nodes[step.number], step.first, step.end)
        return Context(graph, node, target)

    def rows_read(self, step: ComputeRows) -> tuple[int, int]:
        """(first, end) of the rows of its inputs that a step reads."""
        return self.in_rows[step.number].needed(step.first, step.end)

    @cached_property
    def at_fronts(self) -> frozenset[tuple[int, int]]:
        """(node, tensor that it reads) where it always reads and writes from the first row of its row buffers on."""
        found = {(i, x) for x, readers in self.readers.items() for i in readers}
        for step in self._computes():
            starts, y = step.buffer_starts, self.in_rows[step.number].output
            off = y in starts and step.first != starts[y]
            found -= {
                (step.number, x)
                for x in starts
                if x != y and (off or self.rows_read(step)[0] != starts[x])
            }
        return frozenset(found)

    def _computes(self) -> Iterator[ComputeRows]:
        return (step for turn in self.schedule.iterations for step in turn if isinstance(step, ComputeRows))
