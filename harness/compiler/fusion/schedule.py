"""Row schedule: in which order the rows of fused layers are computed, and how many of each tensor are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def schedule_rows(nodes: Sequence[NodeRows], rows: int) -> RowSchedule:
    """The schedule that computes `rows` rows of the last node's output an iteration (of its input, for an image mean).

    A row of a tensor between the nodes is computed in the iteration that first needs it, and kept until the last that
    does.
    """
    inner = {node.output for node in nodes[:-1]}
    last = nodes[-1].output
    readers = {y: [node for node in nodes if y in node.inputs] for y in inner}
    done = dict.fromkeys([*inner, last], 0)
    front = dict.fromkeys(inner, 0)
    buffer_rows = dict.fromkeys(inner, 0)
    carried: set[int] = set()
    iterations: list[Iteration] = []
    total = nodes[-1].count
    for start in range(0, total, rows):
        iteration: Iteration = []
        for node in reversed(nodes[:-1]):
            y = node.output
            begin = _front(readers[y], done, y)
            done[y] = max(done[y], begin)  # no window reads the rows in between
            if done[y] > begin:
                carried.add(y)
                if begin > front[y]:
                    iteration.append(MoveRows(y, begin - front[y], done[y] - begin))
            front[y] = begin
        goal = _goals(nodes, done, {last: min(start + rows, total)})
        buffer_rows = {y: max(size, goal[y] - front[y]) for y, size in buffer_rows.items()}
        for number, node in enumerate(nodes):
            y = node.output
            if goal[y] > done[y]:
                buffer_starts = {t: front[t] for t in (*node.inputs, y) if t in inner}
                iteration.append(ComputeRows(number, done[y], goal[y], buffer_starts))
        for y, end in goal.items():
            done[y] = max(done[y], end)
        iterations.append(iteration)
    return RowSchedule(tuple(iterations), buffer_rows, frozenset(carried))


def _goals(nodes: Sequence[NodeRows], done: dict[int, int], goal: dict[int, int]) -> dict[int, int]:
    """By tensor id one past the last row that must be computed for the last node to reach `goal`."""
    goal = {t: goal.get(t, rows) for t, rows in done.items()}
    for node in reversed(nodes):
        y = node.output
        if goal[y] > done[y]:
            _, end = node.needed(done[y], goal[y])
            for t in node.inputs:
                if t in goal:
                    goal[t] = max(goal[t], end)
    return goal


def _front(readers: Sequence[NodeRows], done: dict[int, int], tensor: int) -> int:
    """The first row of a tensor that a reader still reads; `done` where none does."""
    firsts = [
        node.needed(done[node.output], done[node.output] + 1)[0] for node in readers if done[node.output] < node.count
    ]
    return min(firsts, default=done[tensor])
