"""In which order the rows of chained layers are computed, and how many of each tensor are kept at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.compiler.fusion.rows import needed, rows_of
from harness.ir.graph import Graph, Node


@dataclass(frozen=True)
class Move:
    """Rows of a window that are needed again move to its front: `rows` rows from row `start` of it on."""

    tensor: int
    start: int
    rows: int


@dataclass(frozen=True)
class Compute:
    """Node `number` computes rows first..end of its output.

    `fronts` are the rows at which the windows of the inputs and the output begin, by tensor id; 0 for whole tensors.
    """

    number: int
    first: int
    end: int
    fronts: dict[int, int]


Turn = list[Move | Compute]


@dataclass(frozen=True)
class Schedule:
    """Turns, each of which gives some more rows of the last node's output.

    Attributes:
        windows: rows kept of each tensor between the nodes, by tensor id.
        carried: those of which rows are kept from one turn to the next; the others are free between turns.
    """

    turns: tuple[Turn, ...]
    windows: dict[int, int]
    carried: frozenset[int]


def schedule(graph: Graph, nodes: Sequence[Node], rows: int) -> Schedule:
    """The schedule of chained nodes that gives `rows` rows of the last one's output a turn.

    Every tensor between them is computed just before it is needed, and kept as long as a row of it is.
    """
    inner = {node.outputs[0] for node in nodes[:-1]}
    last = nodes[-1].outputs[0]
    done = dict.fromkeys([*inner, last], 0)
    front = dict.fromkeys(inner, 0)
    windows = dict.fromkeys(inner, 0)
    carried: set[int] = set()
    turns: list[Turn] = []
    total = rows_of(graph, nodes[-1])
    for start in range(0, total, rows):
        turn: Turn = []
        for node in reversed(nodes):
            y = node.outputs[0]
            if y in inner:
                begin = _front(graph, nodes, done, y)
                done[y] = max(done[y], begin)  # rows in between are in nobody's window
                if done[y] > begin:
                    carried.add(y)
                    if begin > front[y]:
                        turn.append(Move(y, begin - front[y], done[y] - begin))
                front[y] = begin
        goal = _goals(graph, nodes, done, {last: min(start + rows, total)})
        windows = {y: max(size, goal[y] - front[y]) for y, size in windows.items()}
        for number, node in enumerate(nodes):
            y = node.outputs[0]
            if goal[y] > done[y]:
                fronts = {t: front[t] for t in (*node.inputs, y) if t in inner}
                turn.append(Compute(number, done[y], goal[y], fronts))
        for y, end in goal.items():
            done[y] = max(done[y], end)
        turns.append(turn)
    return Schedule(tuple(turns), windows, frozenset(carried))


def _goals(graph: Graph, nodes: Sequence[Node], done: dict[int, int], goal: dict[int, int]) -> dict[int, int]:
    """One past the last row that each tensor must have for the last node to come to its goal."""
    goal = {t: goal.get(t, rows) for t, rows in done.items()}
    for node in reversed(nodes):
        y = node.outputs[0]
        if goal[y] > done[y]:
            for t, (_, end) in needed(graph, node, done[y], goal[y]).items():
                if t in goal:
                    goal[t] = max(goal[t], end)
    return goal


def _front(graph: Graph, nodes: Sequence[Node], done: dict[int, int], tensor: int) -> int:
    """The first row of a tensor that anyone still needs."""
    firsts = []
    for node in nodes:
        y = node.outputs[0]
        if tensor in node.inputs and done[y] < rows_of(graph, node):
            firsts.append(needed(graph, node, done[y], done[y] + 1)[tensor][0])
    return min(firsts, default=done[tensor])
