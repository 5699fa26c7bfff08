"""Row schedule: in which order the rows of fused layers are computed, and how many of each tensor are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.compiler.fusion.rows import NodeRows


@dataclass(frozen=True)
class MoveRows:
    """Moves `rows` rows of a row buffer from its row `start` to its beginning, as they are needed again."""

    tensor: int
    start: int
    rows: int


@dataclass(frozen=True)
class ComputeRows:
    """Node `number` computes the rows of its output from `first` to before `end`.

    Attributes:
        buffer_starts: by id of the inputs and the output with a row buffer: the tensor's row that is first in it.
    """

    number: int
    first: int
    end: int
    buffer_starts: dict[int, int]


Iteration = list[MoveRows | ComputeRows]


@dataclass(frozen=True)
class RowSchedule:
    """Iterations, each of which computes the next rows of the last node's output.

    Attributes:
        iterations: the steps of each, in order.
        buffer_rows: by id of a tensor between the nodes, the rows that its row buffer holds.
        carried: the tensors of which rows are kept from one iteration to the next.
    """

    iterations: tuple[Iteration, ...]
    buffer_rows: dict[int, int]
    carried: frozenset[int]


def schedule_rows(nodes: Sequence[NodeRows], rows: int, *, narrow: bool = False) -> RowSchedule:
    """The schedule that computes `rows` rows of the last node's output an iteration (of its input, for an image mean).

    A row of a tensor between the nodes is computed when it is first needed, and kept until the last that needs it. No
    node computes more rows at once than an iteration needs of it once all windows are full: what the first iteration
    needs beyond, each node computes piece by piece, so that no row buffer is larger than later ones need it.

    Args:
        nodes: in order.
        rows: of the last node.
        narrow: no node computes more than `rows` rows at once, not even before a stride.
    """
    scheduler = _Scheduler(nodes, [rows] * len(nodes) if narrow else most_at_once(nodes, rows))
    total = nodes[-1].count
    iterations = tuple(scheduler.iteration(min(start + rows, total)) for start in range(0, total, rows))
    return RowSchedule(iterations, scheduler.buffer_rows, frozenset(scheduler.carried))


def most_at_once(nodes: Sequence[NodeRows], rows: int) -> list[int]:
    """By node the rows of its output that `rows` of the last one need, those that windows share left out."""
    needed = {nodes[-1].output: rows}
    for node in reversed(nodes):
        stride = node.window.stride if node.window else 1
        for x in node.inputs:
            needed[x] = max(needed.get(x, 0), stride * needed[node.output])
    return [needed[node.output] for node in nodes]


@dataclass
class _Scheduler:
    """Computes rows on demand.

    Attributes:
        nodes: in order.
        most: by node, the rows that it computes at once at most.
        buffer_rows, carried: as those of a RowSchedule, of what is scheduled so far.
    """

    nodes: Sequence[NodeRows]
    most: Sequence[int]
    buffer_rows: dict[int, int] = field(init=False)
    carried: set[int] = field(init=False, default_factory=set)
    _steps: Iteration = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._maker = {node.output: number for number, node in enumerate(self.nodes)}
        inner = [node.output for node in self.nodes[:-1]]
        self.buffer_rows = dict.fromkeys(inner, 0)
        self._readers = {y: [node for node in self.nodes if y in node.inputs] for y in inner}
        self._last_reader = {y: max(i for i, n in enumerate(self.nodes) if y in n.inputs) for y in inner}
        self._done = dict.fromkeys(self._maker, 0)
        self._starts = dict.fromkeys(inner, 0)
        self._alive: set[int] = set()
        """Tensors with rows that are still needed, carried ones left out."""

    def iteration(self, end: int) -> Iteration:
        """The steps that make the last node's output up to row `end`."""
        self._steps = []
        self._reach(len(self.nodes) - 1, end)
        return self._steps

    def _reach(self, number: int, end: int) -> None:
        """Compute a node's output up to row `end`, and what it needs for that."""
        node = self.nodes[number]
        y = node.output
        self._done[y] = max(self._done[y], self._front(y))  # no window reads the rows in between
        while self._done[y] < end:
            until = min(end, self._done[y] + self.most[number])
            _, needed = node.needed(self._done[y], until)
            for x in node.inputs:
                if x in self._maker:
                    self._reach(self._maker[x], needed)
            self._compute(number, until)

    def _compute(self, number: int, end: int) -> None:
        node = self.nodes[number]
        y, first = node.output, self._done[node.output]
        if y in self._starts:
            self._make_room(y, end)
        starts = {t: self._starts[t] for t in (*node.inputs, y) if t in self._starts}
        self._steps.append(ComputeRows(number, first, end, starts))
        self._done[y] = end
        if y in self._starts and y not in self.carried:
            self._alive.add(y)
        self._note_carried(number)
        self._alive -= {x for x in node.inputs if x in self._alive and self._front(x) >= self._done[x]}

    def _make_room(self, y: int, end: int) -> None:
        """Rows that are still needed move to the beginning of the row buffer."""
        front, done, start = self._front(y), self._done[y], self._starts[y]
        if done > front:
            self.carried.add(y)
            if front > start:
                self._steps.append(MoveRows(y, front - start, done - front))
        self._starts[y] = front
        self.buffer_rows[y] = max(self.buffer_rows[y], end - front)

    def _note_carried(self, number: int) -> None:
        """Rows that are kept while a node that comes before their maker, or after their readers, computes its own."""
        outside = {y for y in self._alive if not self._maker[y] <= number <= self._last_reader[y]}
        self.carried |= outside
        self._alive -= self.carried

    def _front(self, tensor: int) -> int:
        """The first row of a tensor that a node of the run still reads; the rows that there are where none does."""
        firsts = [
            node.first_needed(self._done[node.output])
            for node in self._readers.get(tensor, ())
            if self._done[node.output] < node.count
        ]
        return min(firsts, default=self._done[tensor])
